import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ExerciseStatus } from '../../../src/protocol/http/data-rights-protocol.ts'
import { memberIdSchema } from '../../../src/protocol/wire.ts'
import { insertAgentRequest } from '../../../src/site/data-rights/data-rights-store.ts'
import { dataRightsSettingsSchema } from '../../../src/site/data-rights/directory.ts'
import { tellAgents } from '../../../src/site/data-rights/tell-agents.ts'
import { findKnownPeople } from '../../../src/site/rights/person-reading.ts'
import { handleRequest, makeRequests } from '../../../src/site/rights/request-desk.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'
import { testPeople } from '../../../src/testing/test-population.ts'
import { bareSite } from '../../../src/testing/test-site.ts'

const directory = dataRightsSettingsSchema.parse({
  agents: [
    {
      id: 'AGENT',
      name: 'Agent',
      verifyKey: Buffer.alloc(32, 1).toString('base64'),
      callbackOrigins: ['https://agent.example'],
    },
  ],
  businesses: [
    {
      id: 'FEDERATION',
      issuer: 'federation',
      personClaim: 'email',
      verificationUrl: 'https://federation.example/verify',
    },
  ],
})

test('an agent is told of each change once, again until it takes it, and no longer when it is named no more', async () => {
  const clock = new ManualClock(Date.parse('2026-03-02T09:00:00Z'))
  await using bare = await bareSite(clock)
  await bare.fill({ dataSet: 'athletes', people: testPeople(3), hasGrants: false })
  const { site } = bare
  const people = await findKnownPeople(site, [{ issuer: memberIdSchema.parse('federation'), person: 'p-1' }])
  const row = { id: 'drp_1', agent: 'AGENT', business: 'FEDERATION', exercise: 'access' }
  const [desk = ''] = await makeRequests(site, {
    people,
    kind: 'access',
    by: 'agent:AGENT',
    alongside: (tx, [deskRequest]) =>
      insertAgentRequest(tx, {
        ...row,
        receivedAt: clock.now(),
        deskRequest,
        callback: 'https://agent.example/status',
      }),
  })
  const sent: [string, ExerciseStatus['status']][] = []
  let isTaking = true
  const tell = (known = directory) =>
    tellAgents(site, known, (address, { status }) => {
      sent.push([address, status])
      return Promise.resolve(isTaking)
    })
  await tell()
  clock.advance(60_000)
  await tell()
  assert.deepEqual(sent, [['https://agent.example/status', 'open']])

  await handleRequest(site, { id: desk, act: { event: 'begin', by: 'issuer:federation' } })
  isTaking = false
  clock.advance(60_000)
  for (const waitMs of [0, 59_999, 1, 119_999, 1]) {
    clock.advance(waitMs)
    await tell()
  }
  // At once, after a minute, after two more.
  assert.equal(sent.length, 4)
  isTaking = true
  clock.advance(4 * 60_000)
  await tell({ ...directory, agents: [] })
  assert.equal(sent.length, 4, 'an agent that the settings no longer name is told nothing')
  clock.advance(24 * 60 * 60_000)
  await tell()
  assert.deepEqual(sent.at(-1), ['https://agent.example/status', 'in_progress'])
  await handleRequest(site, { id: desk, act: { event: 'fulfil', by: 'issuer:federation' } })
  clock.advance(60_000)
  await tell()
  clock.advance(24 * 60 * 60_000)
  await tell()
  assert.deepEqual(
    sent.slice(4).map(([, status]) => status),
    ['in_progress', 'fulfilled'],
  )
})
