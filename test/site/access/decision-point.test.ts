import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { z } from 'zod'
import { digestOfJson } from '../../../src/kernel/digest.ts'
import { consentTextDigest } from '../../../src/protocol/consent/consent-text.ts'
import type { ReceiptKind } from '../../../src/protocol/proof/receipt.ts'
import { accessDecisionSchema } from '../../../src/protocol/http/access-api.ts'
import { openDecisionPoint } from '../../../src/sdk/enforcement-point.ts'
import { openHandOver } from '../../../src/sdk/hand-over.ts'
import { openOfficer } from '../../../src/sdk/officer.ts'
import { openPersonRecords } from '../../../src/sdk/person.ts'
import { publicKeys, testParty, tokenOf } from '../../../src/testing/test-network.ts'
import type { TestParty } from '../../../src/testing/test-network.ts'
import { testGrant, testPeople } from '../../../src/testing/test-population.ts'
import type { TestSite } from '../../../src/testing/test-trade.ts'
import { testTrade } from '../../../src/testing/test-trade.ts'
import { sharedDirectory } from '../../shared.ts'

const trade = await testTrade()
after(() => trade[Symbol.asyncDispose]())
const site = trade.site()
const clientOf = (party: TestParty) => site.client({ issuer: party.name, key: party.signing })
const operator = openDecisionPoint(site.client({ issuer: 'operator', key: site.operatorKey }))
const issuer = openDecisionPoint(clientOf(trade.federation))
const [gate, turnstile] = [testParty('gate'), testParty('turnstile')]

const use = (more: object = {}) => ({
  subject: { type: 'acquirer', id: 'northcare' },
  action: { name: 'process' },
  resource: { type: 'data_set', id: 'athletes' },
  context: { purpose: 'dpv:AcademicResearch' },
  ...more,
})
const person = (id: string, properties: object = {}) => ({
  type: 'person',
  id,
  properties: { dataSet: 'athletes', ...properties },
})

const kindsOf = async (of: TestSite, kind?: ReceiptKind) =>
  (await of.operator.receipts({ kind, limit: 500 })).map((one) => one.kind)

async function send(
  path: string,
  {
    body,
    party,
    headers = {},
    method = 'POST',
  }: { body?: unknown; party?: TestParty | undefined; headers?: object; method?: string },
) {
  const now = trade.clock.now()
  const token = party && tokenOf(party, { audience: site.name, now, jti: trade.network.ids.next('jti') })
  return fetch(`${site.url}${path}`, {
    method,
    headers: {
      'content-type': 'application/json',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
}

await trade.fill(site, { dataSet: 'athletes', people: testPeople(30), grants: [] })
const asker = await trade.addAcquirer('northcare')
await asker.ask('select count(*) from athletes')
await issuer.namePoint('gate', publicKeys(gate))
await operator.namePoint('turnstile', publicKeys(turnstile))
const orla = testParty('orla')
await openOfficer(clientOf(trade.federation)).nameOfficer('orla', publicKeys(orla))
const own = openDecisionPoint(clientOf(gate))
const custodians = openDecisionPoint(clientOf(turnstile))

test('a fresh site allows nothing: 200, false, a reason, and nothing is read', async () => {
  const fresh = await trade.addSite({ name: 'fresh' })
  const point = openDecisionPoint(fresh.client({ issuer: 'operator', key: fresh.operatorKey }))
  for (const request of [use(), use({ action: { name: 'release' } }), use({ resource: person('p-1') })]) {
    const { decision, context } = await point.evaluate(request)
    assert.equal(decision, false)
    assert.match(String(context?.reason), /^declined\./)
  }
  const kinds = (await kindsOf(fresh)).toSorted()
  assert.ok(!kinds.includes('access') && !kinds.includes('evaluation'), kinds.join(' '))
})

test('people who are there and allowed nothing are nobody', async () => {
  for (const point of [own, custodians, operator, issuer])
    assert.equal((await point.evaluate(use())).context?.reason, 'declined.nobody_eligible')
  assert.equal(
    (await own.evaluate(use({ resource: person('p-1') }))).context?.reason,
    'declined.nobody_eligible',
  )
})

test('what grants, terms and place allow now is allowed, with the versions of terms and notice', async () => {
  await site.issuer.giveGrants(testPeople(20).map(({ id }) => testGrant('athletes', id)))
  const { decision, context } = await custodians.evaluate(use())
  const manifest = await openHandOver(clientOf(trade.federation)).manifest('athletes')
  assert.equal(decision, true)
  assert.deepEqual(context, {
    reason: 'approved',
    legalBasis: 'eu-gdpr:A6-1-a',
    noticeVersion: consentTextDigest(manifest),
    policy: digestOfJson(manifest),
    obligations: { minimumGroup: 10, columns: ['country', 'birth_date', 'height', 'score'] },
  })
  assert.equal((await kindsOf(site, 'evaluation')).length, 1)
})

test('whatever is missing is a denial, and its reason is that of an ask', async () => {
  const cases: readonly (readonly [object, string])[] = [
    [{ context: { purpose: 'dpv:Marketing' } }, 'declined.purpose'],
    [{ context: { purpose: 'hedgerow:ReIdentification' } }, 'declined.purpose'],
    [{ context: {} }, 'declined.purpose'],
    [{ context: { purpose: 7 } }, 'declined.purpose'],
    [{ context: { purpose: 'dpv:AcademicResearch', legalBasis: 'eu-gdpr:A6-1-f' } }, 'declined.purpose'],
    [{ action: { name: 'release' } }, 'declined.perimeter_release'],
    [{ action: { name: 'sell' } }, 'declined.mode'],
    [{ action: { name: 'process', properties: { mode: 'private' } } }, 'declined.mode'],
    [{ action: { name: 'store' } }, 'declined.perimeter_store'],
    [{ subject: { type: 'user', id: 'northcare' } }, 'declined.member_unknown'],
    [{ subject: { type: 'acquirer', id: 'nobody-here' } }, 'declined.member_unknown'],
    [{ subject: { type: 'custodian', id: 'edgeworks' } }, 'declined.custodian'],
    [{ resource: { type: 'data_set', id: 'players' } }, 'declined.no_route'],
    [{ resource: { type: 'document', id: 'athletes' } }, 'declined.no_route'],
    [
      { resource: { type: 'data_set', id: 'athletes', properties: { columns: ['name'] } } },
      'declined.column',
    ],
    [
      { resource: { type: 'data_set', id: 'athletes', properties: { columns: ['height', 'x'] } } },
      'declined.column',
    ],
  ]
  for (const [more, reason] of cases) {
    const { decision, context } = await own.evaluate(use(more))
    assert.deepEqual([decision, context?.reason], [false, reason], JSON.stringify(more))
  }
  const released = (jurisdiction: string) =>
    own.evaluate(
      use({
        action: { name: 'release' },
        context: { purpose: 'dpv:AcademicResearch', releaseTo: { jurisdiction } },
      }),
    )
  assert.equal((await released('IE')).decision, true)
  assert.equal((await released('IN')).context?.reason, 'declined.perimeter_release')
  const keeping = await own.evaluate(
    use({ subject: { type: 'custodian', id: 'edgeworks' }, action: { name: 'store' } }),
  )
  assert.equal(keeping.decision, true)
})

test('of one person the issuer’s point is told, the person sees it, and nobody else is told anything', async () => {
  const before = (await kindsOf(site, 'access')).length
  assert.equal((await own.evaluate(use({ resource: person('p-3') }))).decision, true)
  assert.equal((await own.evaluate(use({ resource: person('p-25') }))).decision, false)
  assert.equal((await own.evaluate(use({ resource: person('nobody') }))).decision, false)
  assert.equal((await kindsOf(site, 'access')).length, before + 2)
  const looks = await openPersonRecords(clientOf(trade.federation), {
    ref: 'p-3',
    reason: 'she asked',
  }).accesses(10)
  const look = looks.find(({ what }) => what === 'consent')
  assert.equal(look?.by, 'enforcement:gate')
  assert.equal(
    look?.reason,
    'may northcare process "athletes" for dpv:AcademicResearch in mode aggregate: yes',
  )
  for (const point of [custodians, operator]) {
    const told = await Promise.all(
      ['p-3', 'p-25', 'nobody'].map((id) => point.evaluate(use({ resource: person(id) }))),
    )
    assert.deepEqual(new Set(told.map((answer) => JSON.stringify(answer))).size, 1)
    assert.equal(told[0]?.decision, false)
  }
})

test('a withdrawal is in the next decision', async () => {
  assert.equal((await own.evaluate(use({ resource: person('p-4') }))).decision, true)
  await site.issuer.revokeGrants([{ dataSet: 'athletes', person: 'p-4' }])
  assert.equal((await own.evaluate(use({ resource: person('p-4') }))).decision, false)
  await site.issuer.giveGrants([testGrant('athletes', 'p-4')])
})

test('several are answered in order, ended as the semantic says', async () => {
  const [yes, no] = [
    { resource: { type: 'data_set', id: 'athletes' } },
    { resource: { type: 'data_set', id: 'players' } },
  ]
  const { subject, action, context } = use()
  const answers = async (
    semantic: 'execute_all' | 'deny_on_first_deny' | 'permit_on_first_permit' | undefined,
  ) => {
    const options = semantic === undefined ? {} : { options: { evaluations_semantic: semantic, another: 1 } }
    return (await own.evaluateAll({ subject, action, context, ...options, evaluations: [yes, no, yes] })).map(
      ({ decision }) => decision,
    )
  }
  assert.deepEqual(await answers(undefined), [true, false, true])
  assert.deepEqual(await answers('execute_all'), [true, false, true])
  assert.deepEqual(await answers('deny_on_first_deny'), [true, false])
  assert.deepEqual(await answers('permit_on_first_permit'), [true])
  const single = await send('/access/v1/evaluations', { party: gate, body: use() })
  assert.equal(z.object({ decision: z.boolean() }).parse(await single.json()).decision, true)
})

test('search gives data sets and actions, and never people', async () => {
  const json = async (path: string, body: unknown) => (await send(path, { party: gate, body })).json()
  const { subject, action, resource, context } = use()
  const asked = { subject, action, context }
  assert.deepEqual(await json('/access/v1/search/resource', { ...asked, resource: { type: 'data_set' } }), {
    results: [{ type: 'data_set', id: 'athletes' }],
    page: { next_token: '' },
  })
  const uses = {
    subject,
    resource,
    context: { purpose: 'dpv:AcademicResearch', releaseTo: { jurisdiction: 'IE' } },
  }
  assert.deepEqual(await json('/access/v1/search/action', uses), {
    results: [{ name: 'process' }, { name: 'release' }],
  })
  const people = await send('/access/v1/search/resource', {
    party: gate,
    body: { ...asked, resource: { type: 'person' } },
  })
  assert.equal(people.status, 403)
  assert.equal((await send('/access/v1/search/subject', { party: gate, body: use() })).status, 404)
})

test('the request id comes back, also with an error, and is no place to put anything else', async () => {
  const headers = { 'x-request-id': 'bfe9eb29-ab87-4ca3-be83-a1d5d8305716' }
  for (const [path, facts, status] of [
    ['/access/v1/evaluation', { party: gate, body: use() }, 200],
    ['/access/v1/evaluation', { party: gate, body: {} }, 400],
    ['/access/v1/evaluation', { body: use() }, 401],
    ['/access/v1/search/action', { party: orla, body: use() }, 403],
  ] as const) {
    const response = await send(path, { ...facts, headers })
    assert.equal(response.status, status)
    assert.equal(response.headers.get('x-request-id'), headers['x-request-id'])
    assert.match(response.headers.get('content-type') ?? '', /json/)
  }
  const spaced = await send('/access/v1/evaluation', {
    party: gate,
    body: use(),
    headers: { 'x-request-id': 'a b' },
  })
  assert.match(spaced.headers.get('x-request-id') ?? '', /^req_/)
  const elsewhere = await send('/v1/site', { method: 'GET', headers })
  assert.match(elsewhere.headers.get('x-request-id') ?? '', /^req_/)
})

test('what is no request is 400 and names the field; what only this site does not know is a denial', async () => {
  for (const [body, field] of [
    [{}, 'subject'],
    [{ ...use(), subject: { type: 'acquirer' } }, 'subject.id'],
    [{ ...use(), action: {} }, 'action.name'],
    [{ ...use(), resource: { id: 'athletes' } }, 'resource.type'],
    [{ ...use(), context: 'now' }, 'context'],
  ] as const) {
    const response = await send('/access/v1/evaluation', { party: gate, body })
    assert.equal(response.status, 400)
    const { errors } = z
      .object({ errors: z.array(z.object({ field: z.string() })) })
      .parse(await response.json())
    assert.ok(
      errors.some((one) => one.field === field),
      `${field}: ${JSON.stringify(errors)}`,
    )
  }
  assert.equal((await send('/access/v1/evaluation', { party: gate, body: '{"subject":' })).status, 400)
  const many = { ...use(), evaluations: Array.from({ length: 101 }, () => ({})) }
  assert.equal((await send('/access/v1/evaluations', { party: gate, body: many })).status, 400)
  const odd = { ...use(), evaluations: [{}], options: { evaluations_semantic: 'any' } }
  assert.equal((await send('/access/v1/evaluations', { party: gate, body: odd })).status, 400)
})

test('the configuration says where it is asked', async () => {
  const configuration: unknown = await (await fetch(`${site.url}/.well-known/authzen-configuration`)).json()
  assert.deepEqual(configuration, {
    policy_decision_point: site.url,
    access_evaluation_endpoint: `${site.url}/access/v1/evaluation`,
    access_evaluations_endpoint: `${site.url}/access/v1/evaluations`,
    search_resource_endpoint: `${site.url}/access/v1/search/resource`,
    search_action_endpoint: `${site.url}/access/v1/search/action`,
  })
})

test('a dismissed point is nobody from the next call on, and each names its own', async () => {
  const lobby = testParty('lobby')
  await issuer.namePoint('lobby', publicKeys(lobby))
  assert.deepEqual(
    (await issuer.points()).map(({ point }) => point),
    ['gate', 'lobby'],
  )
  assert.deepEqual(
    (await operator.points()).map(({ point }) => point),
    ['gate', 'lobby', 'turnstile'],
  )
  await assert.rejects(operator.namePoint('lobby', publicKeys(testParty('lobby'))), { status: 409 })
  await assert.rejects(operator.dismissPoint('lobby'), { status: 404 })
  await issuer.dismissPoint('lobby')
  await assert.rejects(openDecisionPoint(clientOf(lobby)).evaluate(use()), { status: 401 })
})

const standard = sharedDirectory()
const missing = standard === undefined && 'the directory of public test vectors is not beside the checkout'

test(
  'the examples and scenarios of the standard are requests, and are denied',
  { skip: missing },
  async () => {
    const read = async (name: string): Promise<unknown> =>
      JSON.parse(await readFile(join(standard ?? '', 'standards', 'authzen-1.0', name), 'utf8'))
    const schemaOf = async (name: string) =>
      z.fromJSONSchema(z.record(z.string(), z.unknown()).parse(await read(name)))
    const [request, response] = await Promise.all([
      schemaOf('schemas/evaluation-request.schema.json'),
      schemaOf('schemas/evaluation-response.schema.json'),
    ])
    const todo = z
      .object({
        evaluation: z.array(z.object({ request: z.unknown() })),
        evaluations: z.array(z.object({ request: z.unknown(), expected: z.array(z.unknown()) })),
      })
      .parse(await read('interop/todo/decisions-1_0-02.json'))
    const gateway = z
      .object({ evaluation: z.array(z.object({ request: z.unknown() })) })
      .parse(await read('interop/api-gateway/decisions.json'))
    for (const { request: asked } of [...todo.evaluation, ...gateway.evaluation]) {
      assert.ok(request.safeParse(asked).success)
      const answer = await send('/access/v1/evaluation', { party: gate, body: asked })
      assert.equal(answer.status, 200)
      const decided = accessDecisionSchema.parse(response.parse(await answer.json()))
      assert.equal(decided.decision, false)
    }
    for (const { request: asked, expected } of todo.evaluations) {
      const answer = await send('/access/v1/evaluations', { party: gate, body: asked })
      const { evaluations } = z.object({ evaluations: z.array(z.unknown()) }).parse(await answer.json())
      assert.equal(evaluations.length, expected.length)
      assert.ok(evaluations.every((one) => response.safeParse(one).success))
    }
    for (const asked of [use(), use({ resource: person('p-3') })]) {
      assert.ok(request.safeParse(asked).success)
      assert.ok(response.safeParse(await own.evaluate(asked)).success)
    }
  },
)

test(
  'the searches of the standard’s scenarios are requests, and find nobody and nothing of theirs here',
  { skip: missing },
  async () => {
    const read = async (name: string): Promise<unknown> =>
      JSON.parse(await readFile(join(standard ?? '', 'standards', 'authzen-1.0', 'interop', name), 'utf8'))
    const searched = z.object({ request: z.unknown() })
    const idp = z.object({ search: z.array(searched) }).parse(await read('idp/results.json')).search
    const of = async (kind: string) =>
      z.object({ evaluation: z.array(searched) }).parse(await read(`search/${kind}-results.json`)).evaluation
    const [subjects, resources, actions] = await Promise.all([of('subject'), of('resource'), of('action')])
    for (const [path, requests] of [
      ['/access/v1/search/resource', [...idp, ...resources]],
      ['/access/v1/search/action', actions.slice(0, 20)],
    ] as const) {
      assert.ok(requests.length > 0)
      for (const { request: asked } of requests) {
        const answer = await send(path, { party: gate, body: asked })
        assert.equal(answer.status, 200, JSON.stringify(asked))
        const { results } = z.object({ results: z.array(z.unknown()) }).parse(await answer.json())
        assert.deepEqual(results, [])
      }
    }
    // Who may do something to one of ours is told to nobody.
    for (const { request: asked } of subjects.slice(0, 5))
      assert.equal((await send('/access/v1/search/subject', { party: gate, body: asked })).status, 404)
  },
)
