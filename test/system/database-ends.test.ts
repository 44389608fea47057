import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import type { ServerProcess } from '../../src/demo/server-process.ts'
import { monotonicMs, systemClock } from '../../src/kernel/clock.ts'
import { NETWORK_API } from '../../src/protocol/http/network-endpoints.ts'
import { csvOf, testGrant, testManifest, testPeople } from '../../src/testing/test-population.ts'
import { testProcesses } from '../../src/testing/test-processes.ts'
import { addAcquirer, fileBody, offered } from '../../src/testing/test-trade.ts'

// The embedded PostgreSQL of a server that runs is killed: the server stops with a sentence, and starts with all it said yes to.

const SENTENCE =
  /^PostgreSQL ended by itself \(SIGKILL\); start the server again: nothing that was acknowledged is lost \(exit code 3\)$/

test('the PostgreSQL of a site is killed while it imports, gives and revokes', async () => {
  await using processes = await testProcesses(process.env)
  const { home, site, siteIssuer, caller, network } = processes
  await siteIssuer.describe(testManifest('athletes'))
  const acknowledged = { batches: 0, people: 0 }
  const importOne = async () => {
    const number = acknowledged.batches
    const people = testPeople(25, (_, index) => ({ id: `b${number}-${index}` }))
    const body = fileBody(csvOf(people))
    await siteIssuer.importFile({ dataSet: 'athletes', batch: `batch-${number}`, format: 'csv', body })
    acknowledged.batches += 1
    await siteIssuer.giveGrants(people.map(({ id }) => testGrant('athletes', id)))
    acknowledged.people += people.length
  }
  await importOne()
  await importOne()
  await siteIssuer.revokeGrants([{ dataSet: 'athletes', person: 'b0-0' }])
  await offered(caller, { site: 'galway', dataSet: 'athletes' })

  const storm = (async () => {
    for (;;) await importOne()
  })()
  storm.catch(() => undefined)
  await systemClock.sleep(300)
  await killPostgres(join(home, 'sites', 'galway'))
  await assert.rejects(storm)
  assert.match(await endOf(site), SENTENCE)

  await site.start()
  await site.ready()
  const batches = await siteIssuer.batches('athletes')
  for (let number = 0; number < acknowledged.batches; number += 1)
    assert.equal(batches.find(({ batch }) => batch === `batch-${number}`)?.rows, 25, `batch ${number}`)
  // The one whose answer was lost may be there or not, whole.
  assert.ok([0, 1].includes(batches.length - acknowledged.batches))
  const [found] = await siteIssuer.dataSets()
  assert.equal(found?.rows, batches.length * 25)
  const northcare = await addAcquirer(caller, { name: 'northcare', url: network.url })
  const { sites } = await northcare.ask('select count(*) as people from athletes')
  const granted = Number(sites[0]?.release?.rows[0]?.[0])
  // All but the one who was revoked; grants whose acknowledgement was lost may be there, all of a call or none.
  assert.ok([0, 25].includes(granted - (acknowledged.people - 1)), `${granted} of ${acknowledged.people}`)
})

test('the PostgreSQL of a network is killed while money moves', async () => {
  await using processes = await testProcesses(process.env)
  const { home, network, caller, federation } = processes
  let acknowledged = 0
  const deposit = async () => {
    await caller.deposit(federation, 1)
    acknowledged += 1
  }
  await deposit()
  const storm = (async () => {
    for (;;) await deposit()
  })()
  storm.catch(() => undefined)
  await systemClock.sleep(300)
  await killPostgres(join(home, 'network'))
  await assert.rejects(storm)
  assert.match(await endOf(network), SENTENCE)

  await network.start()
  await network.ready()
  const { items } = await caller.call(federation, NETWORK_API.balances)
  const balance = items.find(({ kind }) => kind === 'funds')?.availableMinor ?? 0
  assert.ok([0, 1].includes(balance - acknowledged), `${balance} of ${acknowledged}`)
  assert.ok((await caller.call(caller.operator, NETWORK_API.trialBalance)).isBalanced)
})

async function killPostgres(root: string): Promise<void> {
  const text = await readFile(join(root, 'postgres', 'data', 'postmaster.pid'), 'utf8')
  process.kill(Number(text.split('\n')[0]), 'SIGKILL')
}

/** How a server ended by itself. */
async function endOf(server: ServerProcess): Promise<string> {
  const deadline = monotonicMs() + 20_000
  for (;;) {
    const how = await server.ended()
    if (how !== undefined) return how
    assert.ok(monotonicMs() < deadline, 'it did not end')
    await systemClock.sleep(20)
  }
}
