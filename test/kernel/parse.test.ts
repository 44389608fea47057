import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { describeProblems, fieldProblems, parseWith } from '../../src/kernel/parse.ts'

test('parseWith() names every wrong field and what was expected, and never the value', () => {
  const schema = z.strictObject({
    price: z.strictObject({ amount: z.int('expected a whole number') }),
    rows: z.array(z.string('expected a text')),
  })
  const parsed = parseWith(schema, {
    price: { amount: 'marker-value' },
    rows: ['a', { secret: 'marker-value' }],
    more: 1,
  })
  assert.equal(parsed.ok, false)
  const text = parsed.ok ? '' : describeProblems(parsed.error)
  assert.match(text, /price\.amount: expected a whole number/)
  assert.match(text, /rows\[1\]: expected a text/)
  assert.match(text, /more: expected no such field/)
  assert.doesNotMatch(text, /marker-value/)
  assert.deepEqual(parseWith(schema, { price: { amount: 1 }, rows: [] }), {
    ok: true,
    value: { price: { amount: 1 }, rows: [] },
  })
})

test('parseWith() says in plain words what a schema without words of its own expected', () => {
  const schema = z.strictObject({ name: z.string(), rows: z.array(z.string()), inner: z.strictObject({}) })
  const parsed = parseWith(schema, { rows: 5, inner: { colour: 'red' } })
  assert.deepEqual(parsed.ok ? [] : parsed.error, [
    { field: 'name', expected: 'expected a text; it is missing' },
    { field: 'rows', expected: 'expected a list, not a number' },
    { field: 'inner.colour', expected: 'expected no such field' },
  ])
})

test('parseWith() says of a name that is free to choose what is wrong with it', () => {
  const schema = z.strictObject({
    texts: z.record(z.string().regex(/^[a-z]+$/, 'expected a tag'), z.string()),
  })
  const parsed = parseWith(schema, { texts: { D_E: 'x' } })
  assert.deepEqual(parsed.ok ? [] : parsed.error, [{ field: 'texts.D_E', expected: 'expected a tag' }])
})

test('fieldProblems() leaves out what another sentence about the field says already', () => {
  const word = z
    .string()
    .regex(/^[a-z]+$/, 'expected letters')
    .refine((text) => text === 'a', 'expected letters; there is no such word')
  const parsed = word.safeParse('1')
  assert.ok(parsed.error)
  assert.deepEqual(fieldProblems(parsed.error), [
    { field: '(whole)', expected: 'expected letters; there is no such word' },
  ])
})

test('parseWith() says how long or how large what is too long or too large may be', () => {
  const schema = z.strictObject({
    name: z.string().max(3),
    rows: z.array(z.string()).min(1),
    count: z.int().min(0),
    share: z.number().lt(1),
    list: z.array(z.string()).max(2),
  })
  const parsed = parseWith(schema, { name: 'long', rows: [], count: -1, share: 1, list: 'of another kind' })
  assert.deepEqual(parsed.ok ? [] : parsed.error, [
    { field: 'name', expected: 'expected at most 3 characters' },
    { field: 'rows', expected: 'expected at least 1 entry' },
    { field: 'count', expected: 'expected at least 0' },
    { field: 'share', expected: 'expected less than 1' },
    { field: 'list', expected: 'expected a list, not a text' },
  ])
})

test('parseWith() names the fields of the form that is nearest, where there are several', () => {
  const one = z.strictObject({ person: z.string(), modes: z.array(z.string()) })
  const schema = z.strictObject({ body: z.union([one, z.strictObject({ grants: z.array(one) })]) })
  const problems = (body: unknown) => {
    const parsed = parseWith(schema, { body })
    return parsed.ok ? [] : parsed.error
  }
  assert.deepEqual(problems({ person: 7, modes: [] }), [
    { field: 'body.person', expected: 'expected a text, not a number' },
  ])
  assert.deepEqual(problems({ grants: [{ person: 'a' }] }), [
    { field: 'body.grants[0].modes', expected: 'expected a list; it is missing' },
  ])
  assert.deepEqual(problems([]), [{ field: 'body', expected: 'expected named fields, not a list' }])
})
