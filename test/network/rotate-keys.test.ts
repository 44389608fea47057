import assert from 'node:assert/strict'
import { copyFile, readFile, readdir, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { systemClock } from '../../src/kernel/clock.ts'
import { readKeyFile } from '../../src/kernel/crypto/key-file.ts'
import { generateKeyPair } from '../../src/kernel/crypto/keys.ts'
import type { KeyPair } from '../../src/kernel/crypto/keys.ts'
import { openNetworkKeys, rotateNetworkKeys } from '../../src/network/network-keys.ts'
import { formatWitness } from '../../src/protocol/proof/cosignature.ts'
import { NETWORK_API } from '../../src/protocol/http/network-endpoints.ts'
import { EMPTY_ROOT } from '../../src/protocol/proof/merkle.ts'
import { signNetworkRotation } from '../../src/protocol/proof/network-keys.ts'
import { testProcesses } from '../../src/testing/test-processes.ts'
import type { TestProcesses } from '../../src/testing/test-processes.ts'
import { typedHere } from '../cli/typed-here.ts'
import type { LeftLog } from '../../src/transparency/log-position.ts'
import type { CliRun } from '../cli/run-cli.ts'

const opened = new AsyncDisposableStack()
let processes: TestProcesses
let keys: string
before(async () => {
  processes = opened.use(await testProcesses(process.env))
  keys = join(processes.home, 'network', 'keys')
  const added = ['member', 'add', 'buyer', '--country', 'IE', '--role', 'acquirer', ...toNetwork()]
  assert.equal((await typed(...added)).code, 0)
})
after(() => opened.disposeAsync())

function typed(...args: readonly string[]): Promise<CliRun> {
  return typedHere(processes.home, args)
}

function toNetwork(url = processes.network.url): readonly string[] {
  return ['--network', url]
}

function keyFile(name: string): string {
  return join(keys, name)
}

/** An ask that the network declines itself, with its receipt kept. */
async function declined(): Promise<string> {
  const facts = ['--purpose', 'dpv:AcademicResearch', '--mode', 'aggregate', '--offer', 'athletes']
  const sql = ['--sql', 'select count(*) from athletes', '--within', 'CH', '--max-price', '5.00EUR']
  const run = await typed('ask', '--as', 'buyer', ...toNetwork(), ...facts, ...sql)
  assert.match(run.out, /declined\.no_route/, run.error)
  return run.out.slice(0, run.out.indexOf('\n'))
}

async function verifyAll(): Promise<CliRun> {
  const directory = join(processes.home, 'members', 'buyer', 'receipts')
  const files = (await readdir(directory)).map((name) => join(directory, name))
  return typed('receipt', 'verify', ...files, '--as', 'buyer')
}

/** Whether a secret stands in any file below the network's keys. */
async function isKept(secret: string): Promise<boolean> {
  const names = await readdir(keys, { recursive: true })
  for (const name of names) {
    const path = keyFile(name)
    if ((await stat(path)).isFile() && (await readFile(path, 'utf8')).includes(secret)) return true
  }
  return false
}

function secretOf(key: KeyPair): string {
  const { d } = key.privateJwk.reveal()
  assert.ok(d.length > 40)
  return d
}

/** Nothing was signed since the keys were replaced before. */
function leftLog(): Promise<LeftLog> {
  return Promise.resolve({ log: { size: 2, root: EMPTY_ROOT.toBase64() }, at: systemClock.now() })
}

suite('the keys of a network are rotated', () => {
  test('not while it runs, and not where there is none; nothing is changed', async () => {
    const was = await readFile(keyFile('signing.jwk'), 'utf8')
    const run = await typed('network', 'rotate-key')
    assert.deepEqual([run.code, run.out], [1, ''])
    assert.match(run.error, /process \d+ holds it; stop the other server/)
    assert.equal(await readFile(keyFile('signing.jwk'), 'utf8'), was)
    const elsewhere = await typedHere(join(processes.home, 'nowhere'), ['network', 'rotate-key'])
    assert.equal(elsewhere.code, 2)
    assert.match(elsewhere.error, /Keys are rotated where the network is: there is none in/)
  })

  test('members follow, old receipts verify beside new ones, and the old secrets are gone', async () => {
    const ask = await declined()
    assert.equal((await verifyAll()).code, 0)
    const old = [await readKeyFile(keyFile('signing.jwk')), await readKeyFile(keyFile('witness.jwk'))]
    await processes.network.stop()
    const run = await typed('network', 'rotate-key')
    assert.equal(run.code, 0, run.error)
    assert.match(run.out, /^network has new keys; start it again/)
    for (const key of old) assert.equal(await isKept(secretOf(key)), false)
    const left = (await readdir(keys)).toSorted()
    assert.deepEqual(left, ['operator.jwk', 'rotations.json', 'signing.jwk', 'witness.jwk'])
    await processes.network.start()

    await declined()
    const all = await verifyAll()
    assert.equal(all.code, 0, all.out + all.error)
    assert.equal(all.out.match(/verifies/g)?.length, 2)
    // The log goes on under the new key: the old receipt, fetched again, is proven by a checkpoint that the new key signed.
    const fetched = await typed('receipt', 'fetch', ask, '--as', 'buyer', ...toNetwork())
    assert.equal(fetched.code, 0, fetched.error)
    assert.equal((await verifyAll()).code, 0)
    const info = await processes.caller.call(undefined, NETWORK_API.network)
    assert.equal(info.firstKeys?.signing.x, old[0]?.publicJwk.x)
    assert.equal(info.rotations.length, 1)
    assert.equal(info.signing.x, (await readKeyFile(keyFile('signing.jwk'))).publicJwk.x)
  })

  test('cut off before the chain is written the old keys hold, after it the new ones, and it is one rotation', async () => {
    await processes.network.stop()
    const place = { directory: keys, network: 'network' }
    const was = await openNetworkKeys(place)
    for (const use of ['signing', 'witness']) await copyFile(keyFile(`${use}.jwk`), keyFile(`was-${use}`))
    const chain = await readFile(keyFile('rotations.json'), 'utf8')
    const now = await rotateNetworkKeys(place, leftLog)
    for (const use of ['signing', 'witness']) await copyFile(keyFile(`${use}.jwk`), keyFile(`now-${use}`))
    const newChain = await readFile(keyFile('rotations.json'), 'utf8')
    const cutOff = async (swapped: readonly string[], chainText: string) => {
      await writeFile(keyFile('rotations.json'), chainText)
      for (const use of ['signing', 'witness']) {
        const isSwapped = swapped.includes(use)
        await copyFile(keyFile(`${isSwapped ? 'now' : 'was'}-${use}`), keyFile(`${use}.jwk`))
        if (!isSwapped) await copyFile(keyFile(`now-${use}`), keyFile(`next-${use}.jwk`))
      }
    }
    await cutOff([], chain)
    assert.equal((await openNetworkKeys(place)).signing.keyId, was.signing.keyId)
    for (const swapped of [[], ['witness'], ['witness', 'signing']]) {
      await cutOff(swapped, newChain)
      const ended = await openNetworkKeys(place)
      assert.deepEqual(
        [ended.signing.keyId, ended.witness.keyId],
        [now.signing.keyId, now.witness.keyId],
        swapped.join(),
      )
      assert.deepEqual(ended.rotations, now.rotations)
      assert.deepEqual(ended.formerWitness.at(-1), was.witness.publicJwk)
    }
    await cutOff(['witness'], newChain)
    assert.deepEqual((await rotateNetworkKeys(place, leftLog)).rotations, now.rotations)
    // Neither key: nothing is served, and nothing is made anew.
    await copyFile(keyFile('was-signing'), keyFile('signing.jwk'))
    await assert.rejects(openNetworkKeys(place), /restore both from your backup|it is not there/)
    await copyFile(keyFile('now-signing'), keyFile('signing.jwk'))
    await processes.network.start()
    await declined()
  })

  test('the operator’s key is replaced; the old one lets nobody in, and is gone', async () => {
    const old = await readKeyFile(keyFile('operator.jwk'))
    await processes.network.stop()
    assert.equal((await typed('network', 'rotate-operator-key')).code, 0)
    assert.equal(await isKept(secretOf(old)), false)
    await processes.network.start()
    assert.equal((await typed('member', 'list', '--as', 'operator', ...toNetwork())).code, 0)
    const refused = await processes.caller.refusal(
      { ...processes.caller.operator, signing: old },
      NETWORK_API.listMembers,
    )
    assert.equal(refused.status, 401)
  })
})

suite('somebody who passes for the network', () => {
  const stranger = generateKeyPair('Ed25519')
  const text = formatWitness({ name: 'hedgerow/network/witness', key: stranger.publicJwk })

  test('is believed with no forged, rolled back or forked chain, and is sent no token', async () => {
    const file = join(processes.home, 'members', 'buyer', 'pinned-keys.json')
    const pinned = await readFile(file, 'utf8')
    const info = await processes.caller.call(undefined, NETWORK_API.network)
    const { firstKeys } = info
    assert.ok(firstKeys)
    const next = { signing: stranger.publicJwk, witness: stranger.publicJwk }
    const time = '2026-11-27T00:00:00Z'
    const forged = signNetworkRotation({ network: 'network', next, time, key: stranger })
    const own = { signing: stranger.publicJwk, witness: text }
    const { name, logOrigin, version } = info
    const rest = { name, logOrigin, version }
    const cases: readonly object[] = [
      { ...rest, ...own, rotations: [] },
      { ...info, ...own },
      { ...info, ...own, rotations: [...info.rotations, forged] },
      { ...info, ...own, rotations: [forged] },
      { ...info, ...own, firstKeys: next, rotations: [] },
      {
        ...info,
        signing: firstKeys.signing,
        witness: formatWitness({ name: 'hedgerow/network/witness', key: firstKeys.witness }),
        rotations: [],
      },
      { ...info, rotations: info.rotations.slice(0, 1) },
    ]
    for (const told of cases) {
      const asked: string[] = []
      await using impostor = await serve(told, asked)
      const run = await typed('ledger', 'balance', '--as', 'buyer', ...toNetwork(impostor.url))
      assert.equal(run.code, 1, JSON.stringify(told))
      assert.match(run.error, /^Cannot trust the network at .*no rotation signed by those leads to them/)
      assert.deepEqual(asked, ['GET /v1/network -'], 'no token left')
      assert.equal(await readFile(file, 'utf8'), pinned)
    }
  })
})

async function serve(told: object, asked: string[]): Promise<AsyncDisposable & { readonly url: string }> {
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url} ${request.headers.authorization ?? '-'}`)
    response.setHeader('content-type', 'application/json').end(JSON.stringify(told))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}
