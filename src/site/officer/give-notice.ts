import { Fault } from '../../kernel/faults.ts'
import type { Notice } from '../../protocol/http/officer-api.ts'
import { isPurposeRefused, isPurposeWithin } from '../../protocol/law/purpose.ts'
import { textsIn } from '../../protocol/translations.ts'
import type { ControllerActivity } from '../../protocol/rights/register.ts'
import type { DataSetId } from '../../protocol/wire.ts'
import type { SiteContext } from '../site-context.ts'
import { registerFacts } from './gather-register.ts'
import { makeNotice } from './make-notice.ts'
import { makeRegister } from './make-register.ts'
import type { NoticeLanguage } from './notice-words.ts'

/**
 * The notice for a purpose that a data set is offered for, or for a narrower one, which its terms allow as well; `undefined`
 * when there is no such data set.
 *
 * @throws Fault `fault.request_malformed` that names the purposes there are
 */
export async function giveNotice(
  site: SiteContext,
  { dataSet, purpose, language }: { dataSet: DataSetId; purpose: string; language: NoticeLanguage },
): Promise<Notice | undefined> {
  const facts = await registerFacts(site)
  const register = makeRegister(facts)
  const activity = register.controllers.find((each) => each.dataSet === dataSet)
  if (!activity) return undefined
  const offered = offeredFor(activity, purpose)
  const authority = facts.contacts.get(activity.controller.member)?.supervisoryAuthority
  const objectTo = facts.dataSets
    .filter(({ manifest }) => manifest.dataSet === dataSet)
    .flatMap(({ bases }) => bases)
    .flatMap(({ facts: record }) => (record.kind === 'legitimate_interest' ? [record.objectTo] : []))
  const manifest = facts.dataSets.find((each) => each.manifest.dataSet === dataSet)?.manifest
  if (!manifest) return undefined
  return makeNotice(register, {
    activity,
    texts: textsIn(manifest, language),
    purpose,
    offered,
    language,
    authority,
    objectTo: [...new Set(objectTo)],
    givesRows: manifest.modes.includes('rows'),
  })
}

/** The purpose of the terms by which a use for a purpose is allowed: itself, or the first that it is part of. */
function offeredFor({ dataSet, purposes }: ControllerActivity, purpose: string): string {
  const names = purposes.map((each) => each.purpose)
  const found = isPurposeRefused(purpose)
    ? undefined
    : (names.find((name) => name === purpose) ?? names.find((name) => isPurposeWithin(purpose, name)))
  if (found !== undefined) return found
  throw new Fault('fault.request_malformed', {
    what: `Cannot give a notice: "${dataSet}" is not offered for this purpose`,
    errors: [
      { field: 'purpose', expected: `expected ${names.join(', ')}, or a purpose that is part of one` },
    ],
  })
}
