import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseJson, parseJsonBytes, parseLastOfEach } from '../../src/kernel/parse-json.ts'

test('parseJson() reads every JSON text as JSON.parse() does, whatever is in its names and texts', () => {
  const odd = fc.constantFrom(
    '"',
    '\\',
    ':',
    '\\"',
    '{',
    '\u0000',
    '__proto__',
    'constructor',
    '\ud800',
    '🐝',
    '',
  )
  const name = fc
    .array(fc.oneof(odd, fc.string({ unit: 'binary', maxLength: 6 })), { maxLength: 4 })
    .map((parts) => parts.join(''))
  const value = fc.letrec((tie) => ({
    any: fc.oneof(
      { maxDepth: 5 },
      name,
      fc.constantFrom(null, true, 0, -1.5e300),
      fc.array(tie('any'), { maxLength: 4 }),
      fc.array(fc.tuple(name, tie('any')), { maxLength: 4 }).map((members) => Object.fromEntries(members)),
    ),
  })).any
  fc.assert(
    fc.property(value, fc.constantFrom(undefined, 1, '\t'), (any, space) => {
      const text = JSON.stringify(any, undefined, space)
      const isOdd = /(^|[^\\])(\\\\)*\\u(0000|d[89a-f])/.test(text)
      assert.deepEqual(parseJson(text), isOdd ? undefined : JSON.parse(text))
    }),
  )
})

test('parseJson() refuses an object that has a member twice, wherever it stands and however it is written', () => {
  for (const text of [
    '{"a":1,"a":1}',
    '{"a":1,"\\u0061":2}',
    '[[{"b":[{"a":{},"c":0,"a":{"d":":"}}]}]]',
    '{"__proto__":{"x":1},"__proto__":{"x":1}}',
    '{"1":0,"1":0}',
    '{"\\"":0 , "\\"" :0}',
    '{"\\\\":"\\\\","\\\\":0}',
  ]) {
    assert.notEqual(parseLastOfEach(text), undefined, text)
    assert.equal(parseJson(text), undefined, text)
    assert.equal(parseJsonBytes(Buffer.from(text)), undefined, text)
  }
  for (const text of ['{"a":{"a":{"a":1}}}', '[{"a":1},{"a":1}]', '{"a":1,"A":1}', '{"a":"a\\":1,\\"a"}'])
    assert.deepEqual(parseJson(text), JSON.parse(text))
})

test('parseJson() refuses a text that not every reader can hold, and no other', () => {
  for (const text of ['"\\u0000"', '{"a":["\\ud83d"]}', '{"\\uDC1D\\uD83D":1}', '[["\\\\\\u0000"]]'])
    assert.equal(parseJson(text), undefined, text)
  for (const text of ['"\\\\u0000"', '"\\ud83d\\udc1d"', '"\\u0001"', '"\\\\ud800"'])
    assert.equal(parseJson(text), JSON.parse(text), text)
})

test('parseJson() takes a text of any depth, and one of quotes and backslashes alone, in a moment', () => {
  const deep = `${'{"a":'.repeat(200_000)}1${'}'.repeat(200_000)}`
  assert.notEqual(parseJson(deep), undefined)
  assert.equal(parseJson('['.repeat(1_000_000)), undefined)
  const escaped = JSON.stringify({ a: '\\"'.repeat(500_000) })
  assert.equal((parseJson(escaped) as { a: string }).a.length, 1_000_000)
})
