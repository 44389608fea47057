import type { Notice } from '../../protocol/officer-api.ts'
import { isPurposeRefused, isPurposeWithin } from '../../protocol/purpose.ts'
import type { DataSetId } from '../../protocol/wire.ts'
import type { SiteContext } from '../site-context.ts'
import { registerFacts } from './gather-register.ts'
import { makeNotice } from './make-notice.ts'
import { makeRegister } from './make-register.ts'
import type { NoticeLanguage } from './notice-words.ts'

/** The notice for a purpose that a data set is offered for, or a narrower one; `undefined` when it is not. */
export async function giveNotice(
  site: SiteContext,
  { dataSet, purpose, language }: { dataSet: DataSetId; purpose: string; language: NoticeLanguage },
): Promise<Notice | undefined> {
  const facts = await registerFacts(site)
  const register = makeRegister(facts)
  const activity = register.controllers.find((each) => each.dataSet === dataSet)
  if (isPurposeRefused(purpose)) return undefined
  if (!activity?.purposes.some((each) => isPurposeWithin(purpose, each.purpose))) return undefined
  const authority = facts.contacts.get(activity.controller.member)?.supervisoryAuthority
  const objectTo = facts.dataSets
    .filter(({ manifest }) => manifest.dataSet === dataSet)
    .flatMap(({ bases }) => bases)
    .flatMap(({ facts: record }) => (record.kind === 'legitimate_interest' ? [record.objectTo] : []))
  return makeNotice(register, {
    activity,
    purpose,
    language,
    authority,
    objectTo: [...new Set(objectTo)],
  })
}
