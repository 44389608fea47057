import assert from 'node:assert/strict'
import { test } from 'node:test'
import { attackedSite } from './attack-chains.ts'
import { K } from './guarded-asker.ts'
import { GRANTED, PEOPLE, TARGET } from './worlds.ts'
import { RowSpace } from '../site/guard/row-space.ts'

/*
 * Reconstruction (Dinur and Nissim 2003; Cohen and Nissim 2018; compliance reference 6.2, number 3): the attacker knows
 * everybody's birthday, height, sex and town, asks for very many counts of smokers among people chosen by them, and
 * solves for each person. Measure of success: an estimate for one person that differs from the estimate for any of the
 * other people whom the answers do not tell apart, or such a class of fewer than the minimum group; and more people
 * guessed right than the answers about classes alone give away.
 */

const QUESTIONS = 160

/** Numbers that look random and are the same each time. */
function* numbers(seed: number): Generator<number> {
  for (let state = seed; ;) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    yield state / 2 ** 32
  }
}

function condition(next: () => number): string {
  const pick = (choices: readonly string[]): string => choices[Math.floor(next() * choices.length)] ?? 'true'
  const one = (): string =>
    pick([
      `height > ${(1.5 + next() * 0.7).toFixed(2)}`,
      `score < ${Math.floor(10 + next() * 80)}`,
      `born < '${1971 + Math.floor(next() * 18)}-01-01'`,
      "sex = 'f'",
      "town = 'Galway'",
      "town in ('Cork', 'Sligo')",
      `extract(month from born) <= ${1 + Math.floor(next() * 8)}`,
    ])
  return pick([one(), `${one()} and ${one()}`, `${one()} or ${one()}`])
}

interface Equation {
  readonly members: readonly number[]
  readonly sum: number
}

async function collectCounts(): Promise<{ equations: readonly Equation[]; refused: number }> {
  const asker = attackedSite.asker()
  const random = numbers(20_261_126)
  const next = (): number => random.next().value ?? 0
  const equations: Equation[] = []
  let refused = 0
  for (let question = 0; question < QUESTIONS; question += 1) {
    const known = asker.sets.length
    const told = await asker.ask(
      `select count(*) filter (where smokes) from athletes where ${condition(next)}`,
    )
    const members = asker.sets[known]
    if (told.reason === 'approved' && members) equations.push({ members, sum: Number(told.rows[0]?.[0]) })
    else refused += 1
  }
  assert.ok(asker.smallestClass() >= K, `told apart: ${asker.smallestClass()}`)
  return { equations, refused }
}

/** The least-squares solution of least norm, by Kaczmarz' projections from 0. */
function leastSquares(equations: readonly Equation[]): Float64Array {
  const estimate = new Float64Array(PEOPLE)
  for (let round = 0; round < 4_000; round += 1) {
    for (const { members, sum } of equations) {
      const now = members.reduce((total, person) => total + (estimate[person] ?? 0), 0)
      const step = (sum - now) / members.length
      for (const person of members) estimate[person] = (estimate[person] ?? 0) + step
    }
  }
  return estimate
}

test('least squares over all answers estimate classes of people, and nobody in them', async () => {
  const { equations, refused } = await collectCounts()
  assert.ok(equations.length >= 5 && refused > 0, `${equations.length} answers, ${refused} refused`)
  const estimate = leastSquares(equations)
  const classes = new RowSpace(
    equations.map(({ members }) => members),
    PEOPLE,
  ).classes()
  let guessed = 0
  let bestOfClasses = 0
  for (const members of classes) {
    assert.ok(members.length >= K)
    const values = members.map((person) => estimate[person] ?? 0)
    assert.ok(Math.max(...values) - Math.min(...values) < 1e-6, 'two people of one class have two estimates')
    const smokers = members.filter((person) => person % 5 === 0).length
    bestOfClasses += Math.max(smokers, members.length - smokers)
    guessed += (values[0] ?? 0) >= 0.5 ? smokers : members.length - smokers
  }
  assert.ok(guessed <= bestOfClasses)
  assert.ok(classes.flat().length <= GRANTED.length)
})

test('without the guard the same counts would tell everybody: the attack is one', () => {
  const random = numbers(7)
  const equations = Array.from({ length: PEOPLE * 2 }, () => {
    const members = GRANTED.filter(() => (random.next().value ?? 0) < 0.5)
    return { members, sum: members.filter((person) => person % 5 === 0).length }
  })
  const estimate = leastSquares(equations)
  const wrong = GRANTED.filter((person) => (estimate[person] ?? 0) >= 0.5 !== (person % 5 === 0))
  assert.deepEqual(wrong, [])
})

test('who allows rows of one column and sums of another is not what rows of the others leave of a sum', async () => {
  const asker = attackedSite.asker()
  assert.equal((await asker.ask('select id, town from athletes', 'rows')).reason, 'approved')
  const [sum = []] = (await asker.ask('select sum(score) from athletes')).rows
  assert.ok(Number(sum[0]) > 0)
  // Of the target no row with a score is allowed; everybody else's leave would tell theirs.
  asker.restrictTo(GRANTED.filter((person) => person !== TARGET))
  assert.equal((await asker.ask('select id, score from athletes', 'rows')).reason, 'declined.differencing')
  const some = await asker.ask("select id, score from athletes where sex = 'f'", 'rows')
  assert.equal(some.reason, 'approved')
})

for (const join of ['left', 'right'])
  test(`a score that a ${join} join leaves out of the rows does not count as known`, async () => {
    const on = "on a.id = b.id and b.town <> 'Nowhere'"
    const [people, values] = ['athletes a', 'athletes b']
    const from = join === 'left' ? `${people} left join ${values}` : `${values} right join ${people}`
    const asker = attackedSite.asker()
    const given = await asker.ask(`select a.id, b.score, a.town from ${from} ${on}`, 'rows')
    assert.equal(given.reason, 'approved')
    assert.equal(given.rows.filter(([, score]) => score === null).length, 1, 'the target alone lives there')
    // The sum less the rows would be their score.
    assert.equal((await asker.ask('select sum(score) from athletes')).reason, 'declined.differencing')
  })
