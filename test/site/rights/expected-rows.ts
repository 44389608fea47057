/** A row of an import: whose it is, what it is known by, and whether its retention has ended. */
export interface BroughtRow {
  readonly key: string
  readonly marker: string
  readonly isEnding: boolean
}

/** Something that is done to a site. */
export type Act =
  | { readonly kind: 'file' | 'rows'; readonly batch: string; readonly rows: readonly BroughtRow[] }
  | { readonly kind: 'erase'; readonly key: string }
  | { readonly kind: 'correct'; readonly key: string; readonly score: number }
  | { readonly kind: 'export'; readonly key: string }
  | { readonly kind: 'sweep' | 'complete' | 'look' | 'backup' }

/** An act begins, or has ended: `done`, or what went wrong. */
export type Happened =
  | { readonly id: string; readonly begins: Act }
  | { readonly id: string; readonly ended: string }

/** A row that is found. */
export interface FoundRow {
  readonly marker: string
  readonly score: number
  readonly person: number
}

interface Done {
  readonly act: Act
  readonly begun: number
  /** Infinity for one that never ended, or of which it is not known whether it was made. */
  readonly ended: number
}

/**
 * What must be wrong with the rows that are found, by what happened in which order, once all that has ended was swept; nothing where
 * they are as they have to be. Of acts at the same time either may have been first.
 */
export function wrongRows(happened: readonly Happened[], found: readonly FoundRow[]): readonly string[] {
  const acts = actsOf(happened)
  const byMarker = Map.groupBy(found, ({ marker }) => marker)
  const wrong: string[] = []
  const known = new Set<string>()
  for (const brought of acts) {
    const { act } = brought
    if (act.kind !== 'file' && act.kind !== 'rows') continue
    for (const row of act.rows) {
      known.add(row.marker)
      wrong.push(...wrongRow(row, { brought, acts, found: byMarker.get(row.marker) ?? [] }))
    }
    wrong.push(...tornBatch(brought, { act, acts, isThere: ({ marker }) => byMarker.has(marker) }))
  }
  return [
    ...wrong,
    ...found.flatMap(({ marker }) => (known.has(marker) ? [] : [`${marker} came from nowhere`])),
  ]
}

function actsOf(happened: readonly Happened[]): readonly Done[] {
  const acts = new Map<string, Done>()
  for (const [at, one] of happened.entries()) {
    const known = acts.get(one.id)
    if ('begins' in one) acts.set(one.id, { act: one.begins, begun: known?.begun ?? at, ended: Infinity })
    else if (known && one.ended === 'done') acts.set(one.id, { ...known, ended: at })
  }
  return [...acts.values()]
}

interface RowFacts {
  readonly brought: Done
  readonly acts: readonly Done[]
  readonly found: readonly FoundRow[]
}

function wrongRow(row: BroughtRow, { brought, acts, found }: RowFacts): readonly string[] {
  const { mayBe, mustBe } = presence(row, { brought, acts })
  if (found.length > 1) return [`${row.marker} is there ${found.length} times`]
  const [one] = found
  if (!one) return mustBe ? [`${row.marker} is not there`] : []
  if (!mayBe) return [`${row.marker} is there`]
  const scores = scoresOf(row, { brought, acts })
  return scores.has(one.score) ? [] : [`${row.marker} says ${one.score}, not ${[...scores].join(' or ')}`]
}

function presence(
  { key, isEnding }: BroughtRow,
  { brought, acts }: Omit<RowFacts, 'found'>,
): { readonly mayBe: boolean; readonly mustBe: boolean } {
  if (isEnding) return { mayBe: false, mustBe: false }
  const erasures = acts.filter(
    ({ act, ended }) => act.kind === 'erase' && act.key === key && ended > brought.begun,
  )
  const isErased = erasures.some(({ begun, ended }) => begun > brought.ended && ended < Infinity)
  return { mayBe: !isErased, mustBe: brought.ended < Infinity && erasures.length === 0 }
}

/** The scores that a row may have: those of corrections that may have come after it, from the last that surely did. */
function scoresOf({ key }: BroughtRow, { brought, acts }: Omit<RowFacts, 'found'>): ReadonlySet<number> {
  let scores = new Set([0])
  for (const { act, begun, ended } of acts) {
    if (act.kind !== 'correct' || act.key !== key || ended < brought.begun) continue
    scores = begun > brought.ended && ended < Infinity ? new Set([act.score]) : scores.add(act.score)
  }
  return scores
}

/** A batch is there or not; of each of its people all rows are or none. */
function tornBatch(
  brought: Done,
  {
    act,
    acts,
    isThere,
  }: {
    act: Extract<Act, { readonly rows: readonly BroughtRow[] }>
    acts: readonly Done[]
    isThere: (row: BroughtRow) => boolean
  },
): readonly string[] {
  const staying = act.rows.filter(({ isEnding }) => !isEnding)
  const whole = new Set<boolean>()
  const wrong: string[] = []
  for (const [key, rows] of Map.groupBy(staying, (row) => row.key)) {
    const are = new Set(rows.map(isThere))
    if (are.size > 1) wrong.push(`${act.batch} is torn for ${key}`)
    const isUndisturbed = !acts.some(
      (one) => one.act.kind === 'erase' && one.act.key === key && one.ended > brought.begun,
    )
    if (isUndisturbed) for (const one of are) whole.add(one)
  }
  return whole.size > 1 ? [...wrong, `${act.batch} is torn`] : wrong
}
