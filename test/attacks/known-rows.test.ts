import { strict as assert } from 'node:assert'
import { test } from 'node:test'
import { Bitset } from '../../src/kernel/bitset.ts'
import { NOTHING_KNOWN } from '../../src/site/guard/known-columns.ts'
import type { UsedColumn } from '../../src/site/guard/known-columns.ts'
import { groupOf, History, range, shown, SUMMED } from '../site/guard/released-history.ts'

/*
 * An acquirer takes the rows that it was given off the sums that it was told. Measure of success: a sum that is left of one to
 * k - 1 people of whom the summed column is not known.
 */

const k = 10
const everybody = range(0, 200)

function history(): History {
  return new History({ personCount: 400, minimumGroup: k })
}

/** Asks for one sum over some people. */
function total(acquirer: History, people: Bitset) {
  return acquirer.ask({ eligible: everybody, groups: [groupOf('all', people)] })
}

test('of a cell whose rows are all known a minimum group must be left all the same: other columns are not known', () => {
  const acquirer = history()
  assert.equal(acquirer.releaseRows(range(0, 40)), true)
  assert.equal(total(acquirer, range(0, 40)).reason, 'approved')
  assert.equal(total(acquirer, range(0, 39)).reason, 'declined.differencing')
  assert.equal(total(acquirer, range(0, 30)).reason, 'approved')
})

test('of a cell with people enough a minimum group must be unknown, whichever of rows and sum came first', () => {
  const [rowsFirst, sumFirst] = [history(), history()]
  assert.equal(rowsFirst.releaseRows(range(0, 35)), true)
  assert.equal(total(rowsFirst, range(0, 40)).reason, 'declined.differencing')
  assert.equal(total(rowsFirst, range(0, 35 + k)).reason, 'approved')
  assert.equal(total(sumFirst, range(0, 40)).reason, 'approved')
  assert.equal(sumFirst.releaseRows(range(0, 35)), false)
})

test('rows of one column do not make another known: what is left of a sum by the rows of the others is one person’s', () => {
  const of = (...columns: UsedColumn[]) => columns
  const [x, y] = [shown(SUMMED), shown('y')]
  const [last, before] = [Bitset.of([39]), range(0, 39)]
  const sumThenRows = history()
  assert.equal(sumThenRows.releaseRows(range(0, 40), of(y)), true)
  assert.equal(total(sumThenRows, range(0, 40)).reason, 'approved')
  assert.equal(sumThenRows.releaseRows(before, of(x)), false)
  assert.equal(sumThenRows.releaseRows(range(0, 40 - k), of(x, y)), true)
  const rowsThenSum = history()
  assert.equal(rowsThenSum.releaseRows(before, of(x)), true)
  assert.equal(rowsThenSum.releaseRows(last, of(y)), true)
  assert.equal(total(rowsThenSum, range(0, 40)).reason, 'declined.differencing')
  assert.equal(rowsThenSum.releaseRows(last, of(x)), true)
  assert.equal(total(rowsThenSum, range(0, 40)).reason, 'approved')
})

test('what only chose the rows is not known, and may be', () => {
  const chosen = [shown('y'), { name: SUMMED, isShown: false }]
  const acquirer = history()
  assert.equal(acquirer.releaseRows(range(0, 40), chosen), true)
  assert.equal(total(acquirer, range(0, 40)).reason, 'declined.differencing')
  assert.equal(total(acquirer, range(0, 40 + k)).reason, 'approved')
})

test('of people whose rows changed the old ones are known, and the one new value is not had by a sum', () => {
  const acquirer = history()
  assert.equal(acquirer.releaseRows(range(0, 40)), true)
  acquirer.change(Bitset.of([5]))
  assert.equal(total(acquirer, range(0, 40)).reason, 'declined.differencing')
  assert.equal(acquirer.releaseRows(range(0, 40)), true)
  assert.equal(total(acquirer, range(0, 40)).reason, 'approved')
})

test('rows from before their columns were kept may have shown any of them, whatever is shown later', () => {
  const acquirer = history()
  assert.equal(acquirer.releaseRows(range(0, 40)), true)
  // As entries of that time are read. The rows may have been of the column of all but one.
  acquirer.partition = { ...acquirer.partition, known: NOTHING_KNOWN }
  assert.equal(total(acquirer, range(0, 40)).reason, 'declined.differencing')
  assert.equal(acquirer.releaseRows(range(0, 100), [shown('y')]), true)
  assert.equal(total(acquirer, range(0, 40)).reason, 'declined.differencing')
  assert.equal(total(acquirer, range(0, 40 + k - 1)).reason, 'declined.differencing')
  assert.equal(total(acquirer, range(0, 40 + k)).reason, 'approved')
  assert.equal(total(acquirer, range(60, 100)).reason, 'approved')
})

test('rows that are released again are known as they were', () => {
  const acquirer = history()
  assert.equal(total(acquirer, range(0, 100)).reason, 'approved')
  for (let time = 0; time < 3; time += 1) {
    assert.equal(acquirer.releaseRows(range(0, 60)), true)
    assert.equal(acquirer.partition.head, 2)
  }
  assert.equal(acquirer.releaseRows(range(60, 95)), false)
  assert.equal(acquirer.releaseRows(range(60, 90)), true)
})

test('rows that are known do not count: the rest of a cell must be a minimum group too', () => {
  const acquirer = history()
  assert.equal(total(acquirer, range(0, 100)).reason, 'approved')
  assert.equal(acquirer.releaseRows(range(0, 91)), false)
  assert.equal(acquirer.releaseRows(range(0, 90)), true)
  // 10 unknown are left; a cell of 90 known and 9 unknown would leave one who is not in it.
  assert.equal(total(acquirer, range(0, 99)).reason, 'declined.differencing')
  assert.equal(acquirer.releaseRows(Bitset.of([95])), false)
})
