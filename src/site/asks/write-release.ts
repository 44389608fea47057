import { ok } from '../../kernel/result.ts'
import type { Outcome } from '../../protocol/reason.ts'
import type { PrivacyNote, Release, ReleaseValue } from '../../protocol/release.ts'
import { checkRows } from '../guard/check-rows.ts'
import type { OutputColumn } from '../query/bound/bound-query.ts'
import type { AskFacts } from './ask-facts.ts'
import type { PlannedAsk } from './plan-ask.ts'
import type { SiteParts } from './site-parts.ts'

/** What an answer shows. */
export interface Shown {
  readonly columns: readonly OutputColumn[]
  readonly rows: readonly (readonly ReleaseValue[])[]
  readonly remainder?: readonly ReleaseValue[] | undefined
  readonly privacy?: PrivacyNote | undefined
  readonly isNarrowed?: true | undefined
}

/** Writes a release, after the last look at what leaves. */
export function writeRelease(
  { columns: outputs, rows, remainder, privacy, isNarrowed }: Shown,
  { facts, planned, parts }: { facts: AskFacts; planned: PlannedAsk; parts: SiteParts },
): Outcome<Release> {
  const columns = outputs.map(({ name, type, unit }) => ({
    name,
    type: type === 'person' ? 'text' : type,
    ...(unit === undefined ? {} : { unit }),
  }))
  const checked = checkRows(remainder ? [...rows, remainder] : rows, columns)
  if (!checked.ok) return checked
  const attribution = planned.dataSets.get(facts.ask.offer)?.manifest.attribution
  return ok({
    ask: facts.ask.id,
    site: parts.site,
    dataSet: facts.ask.offer,
    mode: planned.checked.mode,
    columns,
    rows: rows.map((row) => [...row]),
    ...(remainder === undefined ? {} : { remainder: [...remainder] }),
    ...(attribution === undefined ? {} : { attribution }),
    ...(privacy === undefined ? {} : { privacy }),
    ...(isNarrowed ? { isNarrowed } : {}),
  })
}
