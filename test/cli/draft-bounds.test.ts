import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { boundsOutward, pastOutward, rowsOutward } from '../../src/site/drafting/bounds-outward.ts'
import { drafted } from './draft-fixture.ts'

test('bounds are outside of what was seen by a number of one digit, and so are rows of a person', () => {
  fc.assert(
    fc.property(
      fc.double({ min: -1e12, max: 1e12, noNaN: true }),
      fc.double({ min: 0, max: 1e12, noNaN: true }),
      (low, width) => {
        const high = low + width
        const [least = NaN, greatest = NaN] = boundsOutward({ low, high }) ?? []
        assert.ok(least <= low && high <= greatest && least < greatest)
        for (const bound of [least, greatest]) assert.match(bound.toExponential(), /^-?\d(\.0*)?e/)
        if (high > 1e-9) assert.ok(greatest > high && greatest <= high * 2.51)
      },
    ),
  )
  assert.deepEqual([99, 100, 199.9, 200, 0.05].map(pastOutward), [100, 200, 200, 500, 0.1])
  assert.deepEqual([0, 1, 2, 3, 40].map(rowsOutward), [1, 1, 5, 5, 50])
})

test('bounds do not move with what few rows have', async () => {
  const rows = Array.from({ length: 200 }, (_, row) => `p${row},${50 + (row % 40)}`)
  const boundsWith = async (few: number, value: string) => {
    const file = [...rows, ...Array.from({ length: few }, (_, row) => `q${row},${value}`)].join('\n')
    return /bounds: DECIDE (.*\])/.exec((await drafted(`id,n\n${file}\n`, 'csv')).text ?? '')?.[1]
  }
  assert.equal(await boundsWith(0, ''), '[0, 100]')
  assert.equal(await boundsWith(9, '90000'), '[0, 100]')
  assert.equal(await boundsWith(9, '-7'), '[0, 100]')
  assert.equal(await boundsWith(20, '90000'), '[0, 100000]')
})

test('bounds are what many people reach, not what one has in many rows', async () => {
  const many = Array.from({ length: 200 }, (_, row) => `p${row},${50 + (row % 40)}`)
  const boundsOf = async (names: string, rows: readonly string[], ...options: string[]) =>
    /bounds: (.*)/.exec((await drafted(`${names}\n${rows.join('\n')}\n`, 'csv', ...options)).text ?? '')?.[1]
  const ofOne = Array.from({ length: 40 }, () => `q,90000`)
  assert.match((await boundsOf('mrn,n', [...many, ...ofOne])) ?? '', /^DECIDE \[0, 100\]/)
  // Of whom a row is may be said by a column that is not the first guess.
  const visits = [...many, ...ofOne].map((row, index) => `${row},v${index}`)
  assert.match((await boundsOf('owner_id,n,visit_id', visits)) ?? '', /^DECIDE \[0, 100\]/)
  // By names that tell nothing none are proposed, before somebody says whose rows they are.
  const twice = [...many, ...many]
  assert.match((await boundsOf('aa,n', twice)) ?? '', /^\[0, 100\] {3}# of whom a row is .*--key/)
  assert.match((await boundsOf('aa,n', [...many, ...ofOne], '--key', 'aa')) ?? '', /^DECIDE \[0, 100\]/)
  const said = await drafted(
    `aa,n\n${Array.from({ length: 40 }, (_, row) => `${row},1`).join('\n')}\n`,
    'csv',
    '--key',
    'aa',
  )
  assert.match(
    said.text ?? '',
    /name: aa\n.*\n(?: +isRequired.*\n)? +sensitivity: DECIDE direct_identifier {3}# .*\(--key\)\n(?! +bounds)/,
  )
  const none = await drafted('id,n\n1,2\n', 'csv', '--key', 'MARKER')
  assert.match(none.error, /it has no column of the name that --key says/)
  assert.doesNotMatch(none.error, /MARKER/)
})

test('no bounds are proposed that no number holds', async () => {
  const rows = Array.from({ length: 60 }, (_, row) => `p${row},${row % 2 === 0 ? '-' : ''}1.7e308`)
  const { text = '' } = await drafted(`id,n\n${rows.join('\n')}\n`, 'csv')
  assert.doesNotMatch(text, /Infinity/)
  assert.match(text, /# bounds: \[0, 100\] {3}# some are too large to propose any/)
})

test('no bounds are proposed where the same few rows are at both ends', async () => {
  const boundsOf = async (values: readonly number[]) => {
    const file = values.map((value, row) => `p${row},${value}`).join('\n')
    return /bounds: (?:DECIDE )?(.*\])/.exec((await drafted(`id,n\n${file}\n`, 'csv')).text ?? '')
  }
  // What the twentieth from below has is then what the one that reaches furthest has.
  for (const count of [19, 20, 38]) {
    const [said = ''] = (await boundsOf(Array.from({ length: count }, (_, row) => 1000 + row))) ?? []
    assert.equal(said, 'bounds: [0, 100]', `${count}, of nothing seen`)
  }
  const enough = await boundsOf(Array.from({ length: 39 }, (_, row) => 1000 + row))
  assert.equal(enough?.[0], 'bounds: DECIDE [0, 2000]')
})
