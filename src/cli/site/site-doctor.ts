import { join } from 'node:path'
import { z } from 'zod'
import { parseHttpDate } from '../../kernel/clock.ts'
import { readKeyFile } from '../../kernel/crypto/key-file.ts'
import { PeerRefusal } from '../../kernel/http/call-json.ts'
import { NETWORK_API } from '../../protocol/http/network-endpoints.ts'
import { httpClient } from '../../sdk/http-client.ts'
import { openOfficer } from '../../sdk/officer.ts'
import type { HttpClient } from '../../sdk/http-client.ts'
import { Fault } from '../../kernel/faults.ts'
import type { DoctorQuestions, Finding } from '../../site/examination.ts'
import { siteDirectory } from '../../site/config.ts'
import type { SiteSettings } from '../../site/config.ts'
import type { SiteAdministration } from '../../sdk/issuer.ts'
import { connectToSite, nearestNetwork, siteRoot, siteSettingsHere } from '../connect.ts'
import type { SiteOptions } from '../connect.ts'
import { EXIT, WrongUse } from '../failures.ts'
import { reach, readiness } from '../reach.ts'
import { show } from '../session.ts'
import type { Session } from '../session.ts'
import { paint, say } from '../terminal.ts'
import type { Tone } from '../terminal.ts'

const MARKS = { good: '✓', warning: '!', bad: '✗', unknown: '?' } as const
const TONES: Readonly<Record<Finding['state'], Tone>> = {
  good: 'good',
  warning: 'warn',
  bad: 'bad',
  unknown: 'dim',
}

/** `hedgerow site doctor`: prints each check; 1 when something makes the site unsafe or unable to answer. */
export async function diagnose(session: Session, options: SiteOptions & { json?: boolean }): Promise<number> {
  const { administration, client, site } = await connectToSite(session, options)
  const settings = await siteSettingsHere(session, site)
  if (!settings) throw new WrongUse(`The doctor looks at files and keys: run it on the machine of "${site}"`)
  const { examineSite } = await import('../../site/doctor.ts')
  const findings = await examineSite({
    directory: siteDirectory(siteRoot(session, site)),
    settings,
    environment: session.environment,
    clock: session.clock,
    questions: questionsOf(session, { administration, client, settings }),
  })
  show(session, { json: options.json, value: findings, print: () => print(session, findings) })
  return findings.some(({ state }) => state === 'bad') ? EXIT.fellShort : EXIT.done
}

function print({ terminal }: Session, findings: readonly Finding[]): void {
  for (const { check, state, says, remedy } of findings) {
    say(terminal, `${paint(terminal, TONES[state], MARKS[state])} ${check}: ${says}`)
    if (remedy !== undefined) say(terminal, paint(terminal, 'dim', `    ${remedy}`))
  }
}

function questionsOf(
  session: Session,
  {
    administration,
    client,
    settings,
  }: { administration: SiteAdministration; client: HttpClient; settings: SiteSettings },
): DoctorQuestions {
  const orNothing = async <T>(question: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await question()
    } catch (thrown) {
      if (thrown instanceof Fault) return undefined
      throw thrown
    }
  }
  const officer = openOfficer(client)
  return {
    evidence: () => orNothing(() => administration.evidence()),
    readiness: () =>
      orNothing(async () => {
        const { url } = client.server
        // Another site may listen where this one would.
        return (await siteNameAt(session, url)) === settings.site ? readiness(session, url) : undefined
      }),
    networkTime: () =>
      orNothing(async () => timeOf(session, await nearestNetwork(session, settings.network.url))),
    isRegistered: () => orNothing(() => isRegistered(session, settings)),
    dataSets: () =>
      orNothing(async () =>
        [...(await administration.dataSets())]
          .filter(({ state }) => state === 'active')
          .map(({ dataSet, mayBeStored, mayBeProcessed }) => ({
            dataSet,
            store: mayBeStored,
            process: mayBeProcessed,
          })),
      ),
    missingContracts: () => orNothing(async () => (await officer.contracts()).missing),
    missingAssessments: () => orNothing(async () => (await officer.assessments()).missing),
    missingBases: () => orNothing(async () => (await officer.bases()).missing),
  }
}

const siteSchema = z.object({ site: z.string() })

async function siteNameAt(session: Session, url: string): Promise<string | undefined> {
  const { body } = await reach(session, `${url}/v1/site`)
  return siteSchema.safeParse(body).data?.site
}

async function timeOf(session: Session, url: string): Promise<number | undefined> {
  const response = await reach(session, `${url}/healthz`)
  return parseHttpDate(response.headers.get('date') ?? '')
}

/** Whether the network takes the site's own key. */
async function isRegistered(session: Session, { site, network }: SiteSettings): Promise<boolean> {
  const { clock, ids } = session
  const { keys } = siteDirectory(siteRoot(session, site))
  const client = httpClient({
    server: { url: await nearestNetwork(session, network.url), name: network.name },
    caller: { issuer: site, key: await readKeyFile(join(keys, 'signing.jwk')) },
    clock,
    ids,
  })
  try {
    await client.call(NETWORK_API.listContacts)
    return true
  } catch (thrown) {
    if (thrown instanceof PeerRefusal && thrown.status === 401) return false
    throw thrown
  }
}
