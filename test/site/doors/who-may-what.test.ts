import assert from 'node:assert/strict'
import { test } from 'node:test'
import { generateKeyPair } from '../../../src/kernel/crypto/keys.ts'
import { issuer, openDoor, tokens, send, GRANT, REVOCATION } from './door-fixture.ts'
import type { Who } from './door-fixture.ts'
import { wireManifest } from './fake-acts.ts'

const CARRIED = {
  kind: 'access',
  site: 'zurich',
  time: '2026-11-24T10:00:00Z',
  by: 'person',
  what: 'uses',
  receipt: 3,
}
const KEYS = { signing: issuer.publicJwk, sealing: generateKeyPair('X25519').publicJwk }

interface Row {
  readonly what: string
  readonly method?: string
  readonly path: string
  readonly body?: unknown
  readonly answers: Readonly<Record<Who, number>>
}

/** What there is of a person to read: oneself at once, others with a reason, and who is not their issuer not at all. */
function readsOfPerson(part: string): readonly Row[] {
  const other = `/v1/people/athlete-2/${part}?issuer=world-sport`
  const hidden = { otherIssuer: 404, person: 404, nobody: 401 }
  return [
    {
      what: `one’s own ${part}`,
      path: `/v1/people/me/${part}`,
      answers: { operator: 400, issuer: 400, otherIssuer: 400, person: 200, nobody: 401 },
    },
    {
      what: `another’s ${part}, without a reason`,
      path: other,
      answers: { operator: 400, issuer: 400, ...hidden },
    },
    {
      what: `another’s ${part}, with a reason`,
      path: `${other}&reason=asked+for+by+telephone`,
      answers: { operator: 200, issuer: 200, ...hidden },
    },
  ]
}

/** Who gets through where: the whole table of roles, the refused ones with how they are refused. */
const TABLE: readonly Row[] = [
  {
    what: 'the site itself',
    path: '/v1/site',
    answers: { operator: 200, issuer: 200, otherIssuer: 200, person: 200, nobody: 200 },
  },
  {
    what: 'the checkpoint',
    path: '/checkpoint',
    answers: { operator: 200, issuer: 200, otherIssuer: 200, person: 200, nobody: 200 },
  },
  {
    what: 'data sets',
    path: '/v1/datasets',
    answers: { operator: 200, issuer: 200, otherIssuer: 200, person: 403, nobody: 401 },
  },
  {
    what: 'a data set',
    path: '/v1/datasets/athletes',
    answers: { operator: 200, issuer: 200, otherIssuer: 404, person: 403, nobody: 401 },
  },
  {
    what: 'a data set that is not there',
    path: '/v1/datasets/unknown',
    answers: { operator: 404, issuer: 404, otherIssuer: 404, person: 403, nobody: 401 },
  },
  {
    what: 'describing',
    method: 'POST',
    path: '/v1/datasets',
    body: { manifest: wireManifest('athletes', 'world-sport') },
    answers: { operator: 201, issuer: 201, otherIssuer: 403, person: 403, nobody: 401 },
  },
  {
    what: 'retiring',
    method: 'DELETE',
    path: '/v1/datasets/athletes',
    answers: { operator: 200, issuer: 200, otherIssuer: 404, person: 403, nobody: 401 },
  },
  {
    what: 'importing',
    method: 'POST',
    path: '/v1/datasets/athletes/batches?batch=b1&format=csv',
    body: 'id\n1\n',
    answers: { operator: 201, issuer: 201, otherIssuer: 404, person: 403, nobody: 401 },
  },
  {
    what: 'batches',
    path: '/v1/datasets/athletes/batches',
    answers: { operator: 200, issuer: 200, otherIssuer: 404, person: 403, nobody: 401 },
  },
  {
    what: 'giving a grant',
    method: 'POST',
    path: '/v1/grants',
    body: GRANT,
    answers: { operator: 403, issuer: 201, otherIssuer: 404, person: 201, nobody: 401 },
  },
  {
    what: 'giving another’s grant',
    method: 'POST',
    path: '/v1/grants',
    body: { ...GRANT, person: 'athlete-2' },
    answers: { operator: 403, issuer: 201, otherIssuer: 404, person: 403, nobody: 401 },
  },
  {
    what: 'giving as a guardian',
    method: 'POST',
    path: '/v1/grants',
    body: { ...GRANT, givenBy: 'guardian' },
    answers: { operator: 403, issuer: 201, otherIssuer: 404, person: 403, nobody: 401 },
  },
  {
    what: 'giving two, one of another',
    method: 'POST',
    path: '/v1/grants',
    body: { grants: [GRANT, { ...GRANT, person: 'athlete-2' }] },
    answers: { operator: 403, issuer: 201, otherIssuer: 404, person: 403, nobody: 401 },
  },
  {
    what: 'giving to another issuer’s data set',
    method: 'POST',
    path: '/v1/grants',
    body: { ...GRANT, dataSet: 'players' },
    answers: { operator: 403, issuer: 404, otherIssuer: 201, person: 404, nobody: 401 },
  },
  {
    what: 'revoking',
    method: 'POST',
    path: '/v1/grants/revocations',
    body: REVOCATION,
    answers: { operator: 200, issuer: 200, otherIssuer: 404, person: 200, nobody: 401 },
  },
  {
    what: 'revoking another’s',
    method: 'POST',
    path: '/v1/grants/revocations',
    body: { ...REVOCATION, person: 'athlete-2' },
    answers: { operator: 200, issuer: 200, otherIssuer: 404, person: 403, nobody: 401 },
  },
  {
    what: 'grants',
    path: '/v1/grants',
    answers: { operator: 200, issuer: 200, otherIssuer: 200, person: 200, nobody: 401 },
  },
  {
    what: 'another’s grants',
    path: '/v1/grants?person=athlete-2',
    answers: { operator: 200, issuer: 200, otherIssuer: 200, person: 404, nobody: 401 },
  },
  {
    what: 'evidence',
    path: '/v1/evidence',
    answers: { operator: 200, issuer: 403, otherIssuer: 403, person: 403, nobody: 401 },
  },
  {
    what: 'giving evidence',
    method: 'POST',
    path: '/v1/evidence',
    body: { evidence: 'a.b.c' },
    answers: { operator: 201, issuer: 403, otherIssuer: 403, person: 403, nobody: 401 },
  },
  {
    what: 'receipts',
    path: '/v1/receipts',
    answers: { operator: 200, issuer: 200, otherIssuer: 200, person: 403, nobody: 401 },
  },
  ...['uses', 'earnings', 'accesses', 'export'].flatMap(readsOfPerson),
  {
    what: 'carrying a history over',
    method: 'POST',
    path: '/v1/people/athlete-1/history',
    body: { records: [CARRIED] },
    answers: { operator: 403, issuer: 200, otherIssuer: 200, person: 200, nobody: 401 },
  },
  {
    what: 'carrying a history over to another',
    method: 'POST',
    path: '/v1/people/athlete-2/history',
    body: { records: [CARRIED] },
    answers: { operator: 403, issuer: 200, otherIssuer: 200, person: 404, nobody: 401 },
  },
  {
    what: 'making a request',
    method: 'POST',
    path: '/v1/people/me/requests',
    body: { kind: 'access' },
    answers: { operator: 400, issuer: 400, otherIssuer: 400, person: 201, nobody: 401 },
  },
  {
    what: 'making a request for somebody',
    method: 'POST',
    path: '/v1/people/athlete-2/requests?issuer=world-sport&reason=a+letter',
    body: { kind: 'access', receivedAt: '2026-11-20T09:00:00Z' },
    answers: { operator: 201, issuer: 201, otherIssuer: 404, person: 404, nobody: 401 },
  },
  {
    what: 'the desk',
    path: '/v1/requests',
    answers: { operator: 200, issuer: 200, otherIssuer: 200, person: 403, nobody: 401 },
  },
  {
    what: 'answering a request',
    method: 'POST',
    path: '/v1/requests/req_01ARZ3NDEKTSV4RRFFQ69G5FAV/events',
    body: { event: 'fulfil' },
    answers: { operator: 200, issuer: 200, otherIssuer: 200, person: 403, nobody: 401 },
  },
  {
    what: 'objecting',
    method: 'PUT',
    path: '/v1/people/athlete-1/objections/dpv:Marketing',
    answers: { operator: 403, issuer: 200, otherIssuer: 200, person: 200, nobody: 401 },
  },
  {
    what: 'a preview',
    method: 'POST',
    path: '/v1/grants/preview',
    body: {
      dataSet: 'athletes',
      grantee: { anyone: true },
      purposes: ['dpv:AcademicResearch'],
      modes: ['aggregate'],
    },
    answers: { operator: 200, issuer: 200, otherIssuer: 404, person: 200, nobody: 401 },
  },
  {
    what: 'the schema of exports',
    path: '/v1/schemas/person-export',
    answers: { operator: 200, issuer: 200, otherIssuer: 200, person: 200, nobody: 200 },
  },
  {
    what: 'registering an issuer',
    method: 'PUT',
    path: '/v1/issuers/world-sport',
    body: { keys: KEYS },
    answers: { operator: 200, issuer: 403, otherIssuer: 403, person: 403, nobody: 401 },
  },
]

for (const { what, method, path, body, answers } of TABLE) {
  test(`siteDoor() lets through who may, and nobody else: ${what}`, async () => {
    for (const who of Object.keys(tokens) as Who[]) {
      const { app } = openDoor()
      const response = await send(app, {
        ...(method === undefined ? {} : { method }),
        path,
        token: await tokens[who](),
        body,
      })
      assert.equal(response.status, answers[who], `${who}: ${await response.text()}`)
    }
  })
}
