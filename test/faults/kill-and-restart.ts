import assert from 'node:assert/strict'
import { later, monotonicMs, systemClock } from '../../src/kernel/clock.ts'
import { seededRandom } from '../../src/demo/seeded-random.ts'
import { rootOf } from '../../src/protocol/proof/merkle.ts'
import { parseCheckpoint } from '../../src/protocol/proof/checkpoint.ts'
import { NETWORK_API } from '../../src/protocol/http/network-endpoints.ts'
import type { AskState } from '../../src/protocol/http/network-api.ts'
import { csvOf, testGrant, testManifest, testPeople } from '../../src/testing/test-population.ts'
import type { TestPerson } from '../../src/testing/test-population.ts'
import { testProcesses } from '../../src/testing/test-processes.ts'
import type { TestProcesses } from '../../src/testing/test-processes.ts'
import { addAcquirer, fileBody, offered } from '../../src/testing/test-trade.ts'
import type { TestAcquirer } from '../../src/testing/test-trade.ts'

const DATA_SET = 'athletes'
const DEPOSIT_MINOR = 1_000_000
const PEOPLE_AT_FIRST = 120
const PEOPLE_PER_BATCH = 10
/** Longest that anything may take to come through a kill and a restart. */
const PATIENCE_MS = 60_000

/** Everything that was acknowledged while servers were killed. */
interface Acknowledged {
  /** People who were imported, by batch. */
  readonly batches: Map<string, readonly TestPerson[]>
  /** Keys of people whose grant is in force. */
  readonly granted: Set<string>
  /** Answers that their acquirers have seen, with what they opened. */
  readonly answers: { readonly acquirer: TestAcquirer; readonly state: AskState; readonly opened: string }[]
  /** Checkpoints that were served. */
  readonly checkpoints: { readonly url: string; readonly note: string }[]
}

/** What came of a storm, for the test to say. */
export interface Survived {
  readonly answers: number
  readonly approved: number
  readonly batches: number
}

/**
 * Asks, imports, grants and revocations stream in while servers are killed at random moments and started again; then
 * everything that was acknowledged must be there, once.
 */
export async function killAndRestart(
  { seed, kills }: { seed: string; kills: number },
  environment: Readonly<Record<string, string | undefined>>,
): Promise<Survived> {
  await using processes = await testProcesses(environment)
  const acknowledged = await begin(processes)
  const acquirers: TestAcquirer[] = []
  for (const letter of 'abcd') {
    acquirers.push(
      await addAcquirer(processes.caller, {
        name: `${letter}-care`,
        url: processes.network.url,
        depositMinor: DEPOSIT_MINOR,
      }),
    )
  }
  const storm = { processes, acknowledged, seed, ending: new AbortController() }
  const streams = [
    importForEver(storm),
    changeGrantsForEver(storm),
    ...acquirers.map((acquirer) => askForEver(storm, acquirer)),
  ]
  const stopped = Promise.all(streams)
  stopped.catch(() => storm.ending.abort())
  await killAndStart(storm, kills)
  storm.ending.abort()
  await stopped
  await requireMoney(storm, acquirers)
  await requireAnswers(storm)
  await requireLogs(storm)
  await requireVault(storm)
  await requireGrants(storm)
  const { answers, batches } = acknowledged
  const approved = answers.filter(({ state }) => state.sites.some(({ captured }) => captured !== undefined))
  return { answers: answers.length, approved: approved.length, batches: batches.size }
}

interface Storm {
  readonly processes: TestProcesses
  readonly acknowledged: Acknowledged
  readonly seed: string
  readonly ending: AbortController
}

async function begin({ siteIssuer, caller }: TestProcesses): Promise<Acknowledged> {
  await siteIssuer.describe(testManifest(DATA_SET))
  const people = somePeople(0, PEOPLE_AT_FIRST)
  await siteIssuer.importFile({
    dataSet: DATA_SET,
    batch: 'first',
    format: 'csv',
    body: fileBody(csvOf(people)),
  })
  await siteIssuer.giveGrants(people.map(({ id }) => testGrant(DATA_SET, id)))
  await offered(caller, { site: 'galway', dataSet: DATA_SET })
  return {
    batches: new Map([['first', people]]),
    granted: new Set(people.map(({ id }) => id)),
    answers: [],
    checkpoints: [],
  }
}

/** People told apart by their heights. */
function somePeople(first: number, count: number): readonly TestPerson[] {
  return testPeople(count, (_, index) => ({
    id: `p-${first + index}`,
    height: Math.round((1 + (first + index) / 2_000) * 10_000) / 10_000,
  }))
}

async function importForEver({ processes, acknowledged, ending }: Storm): Promise<void> {
  for (let number = 1; !ending.signal.aborted; number += 1) {
    const people = somePeople(PEOPLE_AT_FIRST + number * PEOPLE_PER_BATCH, PEOPLE_PER_BATCH)
    const batch = `batch-${number}`
    await persist(() =>
      processes.siteIssuer.importFile({
        dataSet: DATA_SET,
        batch,
        format: 'csv',
        body: fileBody(csvOf(people)),
      }),
    )
    acknowledged.batches.set(batch, people)
    await systemClock.sleep(100, ending.signal)
  }
}

async function changeGrantsForEver({ processes, acknowledged, seed, ending }: Storm): Promise<void> {
  const random = seededRandom(seed, 'grants')
  const { granted, batches } = acknowledged
  while (!ending.signal.aborted) {
    const known = [...batches.values()].flat()
    const some = Array.from({ length: 4 }, () => known[Math.floor(random.next() * known.length)]?.id ?? 'p-0')
    const ids = [...new Set(some)]
    if (random.next() < 0.5) {
      await persist(() => processes.siteIssuer.giveGrants(ids.map((id) => testGrant(DATA_SET, id))))
      for (const id of ids) granted.add(id)
    } else {
      await persist(() =>
        processes.siteIssuer.revokeGrants(ids.map((person) => ({ dataSet: DATA_SET, person }))),
      )
      for (const id of ids) granted.delete(id)
    }
    await systemClock.sleep(50, ending.signal)
  }
}

async function askForEver(storm: Storm, acquirer: TestAcquirer): Promise<void> {
  const random = seededRandom(storm.seed, acquirer.party.name)
  while (!storm.ending.signal.aborted) {
    const request =
      random.next() < 0.6
        ? acquirer.request('select height, score from athletes', { mode: 'rows' })
        : acquirer.request(
            `select count(*) as people, sum(score) as score from athletes where score < ${Math.floor(random.next() * 10) * 10}`,
          )
    const until = { ...request, expires: systemTimeLater(10 * 60_000) }
    const { ask, jws } = await persist(() => acquirer.acquirer.prepare(until))
    await persist(() => acquirer.acquirer.send(jws))
    const state = await persist(async () => {
      const now = await acquirer.acquirer.wait(ask.id, systemTimeLater(5_000))
      if (now.status === 'waiting') throw new Error(`The ask ${ask.id} is not answered yet`)
      return now
    })
    const opened = await persist(() => acquirer.acquirer.open(state))
    assert.deepEqual(
      opened.sites.flatMap(({ problems }) => problems),
      [],
    )
    storm.acknowledged.answers.push({ acquirer, state, opened: textOf(opened.sites) })
  }
}

function systemTimeLater(durationMs: number) {
  return later(systemClock.now(), durationMs)
}

async function killAndStart({ processes, acknowledged, seed }: Storm, kills: number): Promise<void> {
  const random = seededRandom(seed, 'kills')
  for (let kill = 0; kill < kills; kill += 1) {
    await systemClock.sleep(200 + random.next() * 1_500)
    // The first two kills are one of each.
    const isNetwork = kill < 2 ? kill % 2 === 0 : random.next() < 0.5
    const server = isNetwork ? processes.network : processes.site
    const note = await fetch(`${server.url}/checkpoint`).then(async (response) =>
      response.ok ? response.text() : '',
    )
    if (note !== '') acknowledged.checkpoints.push({ url: server.url, note })
    await server.kill()
    await server.start()
    await server.ready()
  }
  await systemClock.sleep(500)
}

/** Does something again until it is acknowledged, as whoever does not know whether it happened has to. */
async function persist<T>(act: () => Promise<T>): Promise<T> {
  const deadline = monotonicMs() + PATIENCE_MS
  for (;;) {
    try {
      return await act()
    } catch (thrown) {
      if (monotonicMs() > deadline)
        throw new Error('What was done over and over did not come through', { cause: thrown })
      await systemClock.sleep(50)
    }
  }
}

async function requireMoney(
  { processes, acknowledged }: Storm,
  acquirers: readonly TestAcquirer[],
): Promise<void> {
  const { caller } = processes
  const trial = await caller.call(caller.operator, NETWORK_API.trialBalance)
  assert.ok(trial.isBalanced)
  for (const { differenceMinor, heldMinor, openHoldsMinor } of trial.items) {
    assert.equal(differenceMinor, 0)
    assert.equal(heldMinor, openHoldsMinor)
    assert.equal(heldMinor, 0, 'every ask has its answer, so nothing is held')
  }
  for (const { party } of acquirers) {
    const theirs = acknowledged.answers.filter(({ acquirer }) => acquirer.party.name === party.name)
    const spent = theirs
      .flatMap(({ state }) => state.sites)
      .reduce((sum, { captured }) => sum + Number(captured?.amountMinor ?? 0n), 0)
    const { items } = await caller.call(party, NETWORK_API.balances)
    assert.equal(
      items.find(({ kind }) => kind === 'funds')?.availableMinor,
      DEPOSIT_MINOR - spent,
      'captured once',
    )
  }
}

async function requireAnswers({ acknowledged }: Storm): Promise<void> {
  for (const { acquirer, state, opened } of acknowledged.answers) {
    const now = await acquirer.acquirer.find(state.id)
    assert.equal(now.status, state.status)
    assert.equal(textOf((await acquirer.acquirer.open(now)).sites), opened)
  }
}

/** What an acquirer has in hands: decisions, receipts and releases. */
function textOf(value: unknown): string {
  return JSON.stringify(value, (name, inner: unknown) => {
    // What the witness has signed since is not what the site said.
    if (name === 'witnessed') return undefined
    if (name === 'checkpoint' && typeof inner === 'string')
      return inner.replace(/— hedgerow\/[a-z]+\/witness .*\n/g, '')
    return typeof inner === 'bigint' ? String(inner) : inner
  })
}

/** Each checkpoint that was ever served is a prefix of the log as it stands. */
async function requireLogs({ acknowledged }: Storm): Promise<void> {
  assert.ok(acknowledged.checkpoints.length > 0)
  for (const { url, note } of acknowledged.checkpoints) {
    const before = parseCheckpoint(noteText(note))
    const after = parseCheckpoint(noteText(await (await fetch(`${url}/checkpoint`)).text()))
    assert.ok(before && after && before.size <= after.size)
    const leaves = await leafHashesOf(url, after.size)
    assert.deepEqual(Buffer.from(rootOf(leaves)), Buffer.from(after.root))
    assert.deepEqual(
      Buffer.from(rootOf(leaves.slice(0, before.size))),
      Buffer.from(before.root),
      'an earlier root',
    )
  }
}

function noteText(note: string): string {
  return note.slice(0, note.indexOf('\n\n') + 1)
}

const TILE_WIDTH = 256
const HASH_BYTES = 32

async function leafHashesOf(url: string, size: number): Promise<readonly Uint8Array[]> {
  const hashes: Uint8Array[] = []
  for (let tile = 0; tile * TILE_WIDTH < size; tile += 1) {
    const width = Math.min(TILE_WIDTH, size - tile * TILE_WIDTH)
    const path = `${String(tile).padStart(3, '0')}${width < TILE_WIDTH ? `.p/${width}` : ''}`
    const response = await fetch(`${url}/tile/0/${path}`)
    assert.equal(response.status, 200, path)
    const bytes = new Uint8Array(await response.arrayBuffer())
    for (let at = 0; at < width; at += 1) hashes.push(bytes.subarray(at * HASH_BYTES, (at + 1) * HASH_BYTES))
  }
  return hashes
}

async function requireVault({ processes, acknowledged }: Storm): Promise<void> {
  const batches = await processes.siteIssuer.batches(DATA_SET)
  for (const [batch, people] of acknowledged.batches)
    assert.equal(batches.find((one) => one.batch === batch)?.rows, people.length, batch)
  const [found] = await processes.siteIssuer.dataSets()
  assert.equal(
    found?.rows,
    batches.reduce((sum, { rows }) => sum + rows, 0),
  )
  assert.equal(found?.people, found?.rows)
}

/** Somebody new asks for rows: exactly the people whose grants were acknowledged are in the answer. */
async function requireGrants({ processes, acknowledged }: Storm): Promise<void> {
  const acquirer = await addAcquirer(processes.caller, {
    name: 'auditor',
    url: processes.network.url,
    depositMinor: DEPOSIT_MINOR,
  })
  const { sites } = await acquirer.ask('select height from athletes', { mode: 'rows' })
  const released = sites[0]?.release?.rows.map(([height]) => Number(height)) ?? []
  const people = [...acknowledged.batches.values()].flat()
  const granted = people.filter(({ id }) => acknowledged.granted.has(id)).map(({ height }) => height)
  assert.deepEqual(released.toSorted(byNumber), granted.toSorted(byNumber))
}

function byNumber(one: number, other: number): number {
  return one - other
}
