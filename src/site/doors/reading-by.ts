import type { PersonReading } from '../rights/person-reading.ts'
import { readingOf } from './person-scope.ts'
import type { PersonRequest } from './person-scope.ts'
import type { SiteActs, SiteCaller } from './site-acts.ts'
import { speakFor } from './speak-for.ts'

/** A look at one person's data by whoever calls: as themselves, or as the guardian of the child that they name. */
export async function readingBy(
  caller: SiteCaller,
  { params, query }: PersonRequest,
  acts: Pick<SiteActs, 'principals'>,
): Promise<PersonReading> {
  const speaker = await speakFor(caller, { ref: params.ref, issuer: query.issuer }, acts)
  const reading = readingOf(speaker, { params, query })
  if (speaker.kind !== 'guardian' || caller.kind !== 'person') return reading
  const { identities } = caller
  const { guardianship, issuer, person } = speaker
  const mayStill = async () =>
    (await acts.principals.findPower({ identities, child: { issuer, person } })) === guardianship
  return { ...reading, mayStill }
}
