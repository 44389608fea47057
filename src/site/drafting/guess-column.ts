import type { ColumnType } from '../../protocol/data-set.ts'
import type { ColumnFacts } from './column-facts.ts'
import { BOOLEAN_WORDS, DATED, NUMBERS, isAll } from './guess-form.ts'
import { hintOfName, isBirthName, isDateName, isPlaceName } from './name-hints.ts'

/** A column as it is proposed. All that is guessed about people has to be decided by somebody. */
export interface GuessedColumn {
  readonly facts: ColumnFacts
  readonly type: ColumnType
  readonly sensitivity: 'ordinary' | 'special_category' | 'direct_identifier' | 'free_text'
  /** Why one thinks so. */
  readonly why: string
  /** Whether every row has a value. */
  readonly isRequired: boolean
  readonly minimumBin?: 'month' | 'year' | undefined
  /** Few words come again and again: they may be listed where they are public. */
  readonly isOfFewWords: boolean
}

/** How often in a hundred values of one shape an address or a number must be to be taken for one. */
const MOST = 0.5
/** From so many different values in a hundred on, a text tells who somebody is. */
const NEARLY_ALL = 0.9
const VALUES_MIN = 20
const FREE_TEXT_CHARACTERS = 40
const FREE_TEXT_SPACES = 4
const FEW_WORDS = 30

/** What a column seems to be, by its name and by what was counted in it. */
export function guessColumn(facts: ColumnFacts): GuessedColumn {
  const { name } = facts.column
  const type = guessType(facts)
  const isDay = type === 'date' || type === 'timestamp'
  return {
    facts,
    type,
    ...guessSensitivity(facts, type),
    isRequired: facts.values > 0 && facts.empty === 0 && facts.missing.length === 0,
    ...(isDay ? { minimumBin: isBirthName(name) ? ('year' as const) : ('month' as const) } : {}),
    isOfFewWords: type === 'text' && facts.values >= VALUES_MIN && facts.distinct <= FEW_WORDS,
  }
}

function guessType(facts: ColumnFacts): ColumnType {
  const { declared, name, mayBeDay = false } = facts.column
  if (declared !== undefined && mayBeDay) {
    if (isAll(facts, 'iso')) return 'date'
    return facts.shapes.isoTime > 0 && isDatedInPart(facts) ? 'timestamp' : declared
  }
  // A data frame has no days: it writes times, all of them at midnight.
  if (declared === 'timestamp' && isAll(facts, 'isoMidnight')) return 'date'
  if (declared !== undefined) return declared
  if (facts.values === 0) return 'text'
  if (isAll(facts, 'isoTime', 'dotTime', 'slashTime', 'dashTime') || isDatedInPart(facts)) return 'timestamp'
  if (isAll(facts, ...DATED)) return 'date'
  if (isAll(facts, 'solid') && isDateName(name)) return 'date'
  if (isAll(facts, 'zeroOrOne', 'plainBoolean', ...BOOLEAN_WORDS.map(([shape]) => shape))) return 'boolean'
  // Digits that begin with a nought are no number: they are a code.
  if (facts.shapes.padded > 0 && facts.shapes.padded + facts.shapes.whole === facts.values) return 'text'
  if (isAll(facts, 'whole')) return 'integer'
  if (isAll(facts, ...NUMBERS)) return 'number'
  return isAll(facts, 'document') ? 'json' : 'text'
}

/** Days, some of them with a time. */
function isDatedInPart({ values, shapes }: ColumnFacts): boolean {
  return (['iso', 'dot', 'slash', 'dash'] as const).some((name) => {
    const [day, time] =
      name === 'iso' ? (['iso', 'isoTime'] as const) : ([`${name}Day`, `${name}Time`] as const)
    return shapes[time] > 0 && shapes[day] + shapes[time] === values
  })
}

type Guess = Pick<GuessedColumn, 'sensitivity' | 'why'>

function guessSensitivity(facts: ColumnFacts, type: ColumnType): Guess {
  const byValues = guessByValues(facts, type)
  const byName = hintOfName(facts.column.name)
  if (byValues?.sensitivity === 'direct_identifier')
    return byName?.sensitivity === 'direct_identifier' ? byName : byValues
  // A number or a day is no name, whatever it is called; a whole number may be.
  const isNameable = type === 'text' || type === 'integer' || type === 'json'
  if (byName && (byName.sensitivity === 'special_category' || isNameable)) {
    const isWritten = byValues?.sensitivity === 'free_text'
    return isWritten && byName.sensitivity === 'special_category' ? byValues : byName
  }
  if (byValues) return byValues
  if (isBirthName(facts.column.name))
    return { sensitivity: 'ordinary', why: 'a birth date: with little else it tells who somebody is' }
  if (isPlaceName(facts.column.name))
    return { sensitivity: 'ordinary', why: 'a place: where it is exact, it tells who somebody is' }
  if (facts.values === 0) return { sensitivity: 'ordinary', why: 'it has no values to judge by' }
  return { sensitivity: 'ordinary', why: 'neither name nor values say more' }
}

function guessByValues({ values, shapes, ...facts }: ColumnFacts, type: ColumnType): Guess | undefined {
  if (type !== 'text') return undefined
  const named = [
    ['mail', 'values have the shape of mail addresses'],
    ['phone', 'values have the shape of telephone numbers'],
    ['iban', 'values have the shape of bank accounts'],
    ['uuid', 'values have the shape of identifiers (UUID)'],
    ['ip', 'values have the shape of addresses of machines'],
  ] as const
  const found = named.find(([shape]) => shapes[shape] > values * MOST)
  if (found) return { sensitivity: 'direct_identifier', why: found[1] }
  if (facts.lengthMean > FREE_TEXT_CHARACTERS || facts.spacesMean > FREE_TEXT_SPACES)
    return { sensitivity: 'free_text', why: 'values are long, as what somebody wrote' }
  if (values >= VALUES_MIN && facts.distinct >= values * NEARLY_ALL)
    return { sensitivity: 'direct_identifier', why: 'nearly every row has another value' }
  return undefined
}
