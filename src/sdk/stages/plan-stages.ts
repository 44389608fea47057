import type { SubLink } from '@pgsql/types'
import { LIMITS } from '../../kernel/limits.ts'
import { err, ok } from '../../kernel/result.ts'
import type { Result } from '../../kernel/result.ts'
import type { Offer } from '../../protocol/offer.ts'
import { NoStages, offsetIn, reachable, readSelect } from './read-select.ts'
import type { Planning, ReadSelect } from './read-select.ts'
import { tiesToGroup } from './by-group.ts'
import { afterSelectWord, parseSelect, readText, spanOfColumn, spanOfSelect, withWord } from './read-text.ts'
import type { ReadText, Span } from './read-text.ts'
import type { Column } from './relations.ts'
import { awaitedBy, cut, fill } from './template.ts'
import type { AnswerForm, Edit, Template } from './template.ts'

/** A sub-query that is asked as a question of its own. */
export interface Stage {
  readonly template: Template
  /** It gives groups, of which those that are too small are missing. */
  readonly isGrouped: boolean
}

/** A question taken apart: its stages in the order in which they are asked, and what is asked of their answers. */
export interface StagePlan {
  readonly stages: readonly Stage[]
  readonly question: Template
}

/** Why a question cannot be asked in stages; the position counts characters from 1. */
export interface StageProblem {
  readonly why: string
  readonly position?: number
}

/**
 * Takes a question apart into asks (`docs/decisions/0025`): each sub-query that is over other people and looks at nothing around it becomes
 * a stage. A text without such, or one that cannot be read, has no stages and is asked as it is.
 */
export async function planStages(
  sql: string,
  offers: readonly Pick<Offer, 'dataSet' | 'columns' | 'person'>[],
): Promise<Result<StagePlan, StageProblem>> {
  const read = await readText(sql)
  if (read === undefined) return ok({ stages: [], question: [sql] })
  const stages: FoundStage[] = []
  const planning: Planning = { read, dataSets: dataSetsIn(offers), stageOf: stagesInto(stages, read) }
  try {
    const root = readSelect(read.select, { planning, known: new Map() })
    const question = cut(read, { start: 0, end: read.bytes.length }, root.edits)
    const plan = await prune(stages, question)
    if (plan.stages.length > 0 && root.of !== 'people')
      throw new NoStages(
        'a question over answers only: it would ask nobody; ask its sub-queries and compute from their answers',
        offsetIn(read.select.targetList),
      )
    if (plan.stages.length > LIMITS.stagesMax)
      throw new NoStages(`more than ${LIMITS.stagesMax} stages: each is an ask with a price of its own`)
    return ok(plan)
  } catch (error) {
    if (error instanceof NoStages) return err(problemOf(error, read))
    // Nested deeper than can be read: the site says so.
    if (error instanceof RangeError) return ok({ stages: [], question: [sql] })
    throw error
  }
}

function problemOf({ message, offset }: NoStages, { bytes }: ReadText): StageProblem {
  const why = `Cannot ask in stages: ${message}`
  if (offset === undefined) return { why }
  return { why, position: Array.from(bytes.toString('utf8', 0, offset)).length + 1 }
}

/** What is known of each data set, wherever it is offered. */
function dataSetsIn(
  offers: readonly Pick<Offer, 'dataSet' | 'columns' | 'person'>[],
): ReadonlyMap<string, readonly Column[]> {
  const columns = new Map<string, Map<string, Column>>()
  for (const { dataSet, columns: offered, person } of offers) {
    const known = columns.get(dataSet) ?? new Map<string, Column>()
    for (const { name } of offered) known.set(name, { name, isPerson: name === person?.key })
    if (person) known.set(person.key, { name: person.key, isPerson: true })
    columns.set(dataSet, known)
  }
  return new Map([...columns].map(([name, known]) => [name, [...known.values()]]))
}

interface FoundStage extends Stage {
  readonly number: number
}

function stagesInto(stages: FoundStage[], read: ReadText): Planning['stageOf'] {
  const push = (select: ReadSelect, span: Span, isGrouped: boolean): number =>
    stages.push({ number: stages.length + 1, isGrouped, template: alone(select, span, read) })
  const add = (select: ReadSelect, form: AnswerForm, isDistinct = false): Edit | undefined => {
    const span = spanOfSelect(read, select.select)
    const after = isDistinct ? afterSelectWord(read, select.select) : undefined
    if (span === undefined || (isDistinct && after === undefined)) return undefined
    const edits = after === undefined ? select.edits : [...select.edits, insertion(after, ' distinct')]
    const stage = push({ ...select, edits }, span, select.made !== 'one row')
    return { ...span, by: [{ stage, form }] }
  }
  /** A value of the group of the row around it: asked of every group at once, with the group beside it. */
  const addOfGroup = (select: ReadSelect): Edit | undefined => {
    const span = spanOfSelect(read, select.select)
    const after = afterSelectWord(read, select.select)
    const ties = tiesToGroup(select)?.map(({ own, around }) => ({
      own: textAt(read, spanOfColumn(read, own)),
      at: spanOfColumn(read, around),
    }))
    if (span === undefined || after === undefined || ties === undefined) return undefined
    const owns = ties.map(({ own }) => own).join(', ')
    // What it is tied to is there in every row of a group: the tie itself says only that it is not null.
    const untied = ties.flatMap(({ own, at }) => (at ? [{ ...at, by: [own] }] : []))
    const around = [insertion(after, ` ${owns},`), insertion(span.end, ` group by ${owns}`)]
    const stage = push({ ...select, edits: [...select.edits, ...untied, ...around] }, span, true)
    const keys = ties.map(({ at }) => textAt(read, at))
    return { ...span, by: [{ stage, form: 'of group', keys }] }
  }
  return {
    relation: (select) => (isQuestion(select) ? add(select, 'relation') : undefined),
    link: (link, select) => {
      if (select.of !== 'people' || select.select.larg) return undefined
      if (select.free.length > 0) return link.subLinkType === 'EXPR_SUBLINK' ? addOfGroup(select) : undefined
      if (link.subLinkType === 'EXPR_SUBLINK') return isQuestion(select) ? add(select, 'value') : undefined
      if (link.subLinkType !== 'ANY_SUBLINK' && link.subLinkType !== 'ALL_SUBLINK') return undefined
      const form = formOf(link)
      if (isQuestion(select)) return add(select, form)
      return isSetOfValues(select) ? add(select, form, true) : undefined
    },
  }
}

function textAt({ bytes }: ReadText, span: Span | undefined): string {
  return span ? bytes.toString('utf8', span.start, span.end) : ''
}

function insertion(at: number, text: string): Edit {
  return { start: at, end: at, by: [text] }
}

/** Over other people, looking at nothing around it, and one row or groups of nobody in particular. */
function isQuestion({ of, free, made, select }: ReadSelect): boolean {
  return of === 'people' && free.length === 0 && !select.larg && (made === 'one row' || made === 'groups')
}

/** Values of rows of people, among which something is looked for: it does not matter how often one comes. */
function isSetOfValues({ made, columns, select }: ReadSelect): boolean {
  return (
    made === 'rows' && !columns.some(({ isPerson }) => isPerson) && !select.limitCount && !select.limitOffset
  )
}

function formOf({ operName }: SubLink): AnswerForm {
  return operName === undefined ? 'items' : 'array'
}

/** A sub-query as a text of its own: with the CTEs around it that it names. */
function alone({ names, edits }: ReadSelect, span: Span, read: ReadText): Template {
  const around = [...reachable(names)]
  if (around.length === 0) return cut(read, span, edits)
  const definitions = around.flatMap(({ definition }, index) => [
    ...(index === 0 ? [] : [', ']),
    ...definition,
  ])
  const own = withWord(read, span)
  return own === undefined
    ? ['with ', ...definitions, ' ', ...cut(read, span, edits)]
    : ['with ', ...definitions, ',', ...cut(read, { start: own, end: span.end }, edits)]
}

/** Stages that the question needs, equal ones once, numbered anew. A stage comes after those that it waits for. */
async function prune(found: readonly FoundStage[], question: Template): Promise<StagePlan> {
  const needed = new Set<number>()
  const need = (template: Template): void => {
    for (const number of awaitedBy(template)) {
      if (needed.has(number)) continue
      needed.add(number)
      need(found[number - 1]?.template ?? [])
    }
  }
  need(question)
  const stages: Stage[] = []
  const numbers = new Map<number, number>()
  const known = new Map<string, number>()
  const renumbered = (template: Template): Template =>
    template.map((part) =>
      typeof part === 'string' ? part : { ...part, stage: numbers.get(part.stage) ?? part.stage },
    )
  for (const { number, isGrouped, template } of found.filter((one) => needed.has(one.number))) {
    const stage = { template: renumbered(template), isGrouped }
    const meaning = await meaningOf(stage.template)
    const same = known.get(meaning) ?? stages.push(stage)
    known.set(meaning, same)
    numbers.set(number, same)
  }
  await meaningOf(renumbered(question))
  return { stages, question: renumbered(question) }
}

/** Equal for texts that mean the same but for the layout: the tree, without places. */
async function meaningOf(template: Template): Promise<string> {
  const text = fill(template, ({ stage, form }) => STANDING_IN[form](`'answer ${stage}'::text`))
  const tree = await parseSelect(text)
  if (tree === undefined) throw new NoStages('a text that does not come apart into SELECTs')
  return JSON.stringify(tree, (key, value: unknown) => (PLACES.has(key) ? undefined : value))
}

const PLACES = new Set(['location', 'rexpr_list_start', 'rexpr_list_end', 'list_start', 'list_end'])

const STANDING_IN: Readonly<Record<AnswerForm, (constant: string) => string>> = {
  value: (constant) => constant,
  items: (constant) => constant,
  array: (constant) => `array[${constant}]`,
  relation: (constant) => `select ${constant}`,
  'of group': (constant) => constant,
}
