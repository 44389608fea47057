import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { EVALUATIONS_SEMANTICS, accessRequestSchema } from '../../../src/protocol/http/access-api.ts'
import type { AccessRequest } from '../../../src/protocol/http/access-api.ts'
import { evaluateInOrder, unpackEvaluations } from '../../../src/site/access/evaluate-together.ts'
import { readQuestion } from '../../../src/site/access/read-question.ts'

const subject = { type: 'acquirer', id: 'northcare' }
const action = { name: 'process' }
const resource = (id: string) => ({ type: 'data_set', id })

test('what stands at the top is the default of each evaluation, and what one has itself is its own, whole', () => {
  const own = { type: 'acquirer', id: 'other' }
  const unpacked = unpackEvaluations({
    subject: { ...subject, properties: { class: 'insurer' } },
    action,
    context: { purpose: 'dpv:AcademicResearch' },
    evaluations: [
      { resource: resource('one') },
      { resource: resource('two'), subject: own, context: { purpose: 'dpv:Marketing' } },
    ],
  })
  assert.ok('several' in unpacked)
  assert.equal(unpacked.semantic, 'execute_all')
  const [first, second] = unpacked.several
  assert.deepEqual(first?.subject.properties, { class: 'insurer' })
  assert.deepEqual(second?.subject, own)
  assert.deepEqual(second?.context, { purpose: 'dpv:Marketing' })
})

test('without evaluations, or with none, it is one evaluation', () => {
  const whole = { subject, action, resource: resource('one') }
  assert.deepEqual(unpackEvaluations(whole), { single: whole })
  assert.deepEqual(unpackEvaluations({ ...whole, evaluations: [] }), { single: whole })
  assert.throws(() => unpackEvaluations({ subject, action }), { code: 'fault.request_malformed' })
})

test('each part that stands nowhere is named', () => {
  assert.throws(
    () => unpackEvaluations({ subject, evaluations: [{ resource: resource('one'), action }, { action }] }),
    (thrown: { errors: { field: string }[] }) => {
      assert.deepEqual(
        thrown.errors.map(({ field }) => field),
        ['evaluations[1].resource'],
      )
      return true
    },
  )
})

test('evaluations end where their semantic says, and what comes after is never looked at', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.boolean(), { minLength: 1, maxLength: 12 }),
      fc.constantFrom(...EVALUATIONS_SEMANTICS),
      async (answers, semantic) => {
        const several = answers.map((_, index) => ({ subject, action, resource: resource(`d${index}`) }))
        const looked: string[] = []
        const done = await evaluateInOrder({ several, semantic }, (request) => {
          looked.push(request.resource.id)
          const isAllowed = answers[looked.length - 1] === true
          return Promise.resolve({ isAllowed, value: isAllowed })
        })
        const ends = {
          execute_all: -1,
          deny_on_first_deny: answers.indexOf(false),
          permit_on_first_permit: answers.indexOf(true),
        }
        const end = ends[semantic]
        const expected = end === -1 ? answers : answers.slice(0, end + 1)
        assert.deepEqual(done, expected)
        assert.equal(looked.length, expected.length)
      },
    ),
  )
})

test('whatever stands in the parts, reading gives a question or a decline, never an error or a default', () => {
  const loose = fc.dictionary(
    fc.constantFrom('purpose', 'legalBasis', 'releaseTo', 'mode', 'dataSet', 'columns', 'x'),
    fc.oneof(fc.jsonValue(), fc.constant('dpv:AcademicResearch'), fc.constant('athletes')),
  )
  const word = (...words: string[]) => fc.oneof(fc.constantFrom(...words), fc.string())
  fc.assert(
    fc.property(
      fc.record({
        subject: fc.record({ type: word('acquirer', 'custodian'), id: word('northcare', 'edgeworks') }),
        action: fc.record({ name: word('process', 'release', 'store'), properties: loose }),
        resource: fc.record({
          type: word('data_set', 'person'),
          id: word('athletes', 'p-1'),
          properties: loose,
        }),
        context: loose,
      }),
      (made) => {
        const request: AccessRequest = accessRequestSchema.parse(made)
        const read = readQuestion(request)
        if (!read.ok) return assert.match(read.error.code, /^declined\./)
        if (read.value.kind === 'use') {
          assert.equal(request.subject.type, 'acquirer')
          assert.equal(read.value.purpose, request.context?.purpose)
          assert.equal(
            read.value.person,
            request.resource.type === 'person' ? request.resource.id : undefined,
          )
        }
      },
    ),
    { numRuns: 500 },
  )
})
