import assert from 'node:assert/strict'
import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { rotateKeyFiles } from '../../src/cli/site/rotate-key-files.ts'
import type { KeyFileRotation } from '../../src/cli/site/rotate-key-files.ts'
import { formatInstant, instant, monotonicMs, systemClock } from '../../src/kernel/clock.ts'
import { ensureKeyFile } from '../../src/kernel/crypto/key-file.ts'
import type { KeyPair } from '../../src/kernel/crypto/keys.ts'
import { NETWORK_API } from '../../src/protocol/http/network-endpoints.ts'
import { SITE_API } from '../../src/protocol/http/site-api.ts'
import { peekJws } from '../../src/kernel/crypto/jws.ts'
import { PeerRefusal } from '../../src/kernel/http/call-json.ts'
import { parseJson } from '../../src/kernel/parse-json.ts'
import { keyRotationSchema } from '../../src/protocol/member.ts'
import { NO_PINNED_KEYS, pinSite } from '../../src/sdk/pinned-keys.ts'
import { verifyReceipt } from '../../src/sdk/verify.ts'
import type { AskResult } from '../../src/sdk/acquirer.ts'
import { testPeople } from '../../src/testing/test-population.ts'
import { evidenceOf, testTrade } from '../../src/testing/test-trade.ts'
import type { TestAcquirer, TestTrade } from '../../src/testing/test-trade.ts'
import { runCli } from '../cli/run-cli.ts'

const SQL = 'select country, count(*) as people from athletes group by country'

suite('the keys of a site are rotated', () => {
  let home: string
  let trade: TestTrade
  let lab: TestAcquirer
  before(async () => {
    home = await mkdtemp(join(tmpdir(), 'hedgerow-rotate-'))
    trade = await testTrade({ sites: [{ name: 'galway', root: join(home, 'sites', 'galway') }] })
    await trade.fill(trade.site(), { dataSet: 'athletes', people: testPeople(120) })
    lab = await trade.addAcquirer('lab')
  })
  after(async () => {
    await trade[Symbol.asyncDispose]()
    await rm(home, { recursive: true, force: true })
  })

  const rotate = (...more: readonly string[]) =>
    runCli(home, ['site', 'rotate-key', 'galway', ...more], {
      HEDGEROW_DATABASE_URL: trade.site().databaseUrl,
    })
  const keyFile = (name: string) => join(home, 'sites', 'galway', 'keys', name)
  const publicKey = async () =>
    (JSON.parse(await readFile(keyFile('signing.jwk'), 'utf8')) as { x: string }).x

  test('not while it runs, and nothing is changed', async () => {
    const was = await publicKey()
    const run = await rotate()
    assert.equal(run.code, 1, run.error)
    assert.match(run.error, /process \d+ holds it; stop the other server/)
    assert.equal(await publicKey(), was)
    await assert.rejects(readFile(keyFile('next-signing.jwk')))
  })

  test('an ask that was sealed before is answered after, and old receipts verify beside new ones', async () => {
    const first = await lab.ask(SQL)
    assertSound(first)
    const site = trade.site()
    const was = await publicKey()
    await site.stop()
    const waiting = lab.ask(SQL)
    await isAtTheNetwork(lab)
    const run = await rotate()
    assert.equal(run.code, 0, run.error)
    assert.match(run.out, /^galway has new keys; start it again/)
    assert.notEqual(await publicKey(), was)
    await site.start()
    assertSound(await waiting)
    assertSound(await lab.ask(SQL))
    // The log goes on under the new key: an old receipt is proven by a checkpoint that the new key signed.
    const proven = await site.operator.receipt(0)
    assert.match(proven.log.checkpoint, /^hedgerow\/galway\n/)
    assertSound(await lab.acquirer.open(await lab.acquirer.find(first.id)))
    // What the old key left is told: nothing that it signs from now on counts.
    const record = await trade.network.call(trade.network.operator, NETWORK_API.site, {
      params: { id: 'galway' },
    })
    const { log } = keyRotationSchema.parse(parseJson(peekJws(record.rotations[0] ?? '')?.payload ?? ''))
    const receipts = await site.operator.receipts({ limit: 500 })
    const kidOf = (jws: string) => peekJws(jws)?.header.kid
    const byOld = receipts.filter(({ receipt }) => kidOf(receipt) === kidOf(proven.receipt))
    assert.ok(byOld.length > 3 && byOld.length < receipts.length)
    assert.equal(log?.size, byOld.length)
    const pinned = pinSite(NO_PINNED_KEYS, record)
    assert.ok(pinned.ok)
    const verified = verifyReceipt(proven, pinned.value)
    assert.ok(verified.isVerified)
    assert.equal(verified.retired?.isPlaceProven, true)
  })

  test('nothing is begun while the network is away; what was cut off after it took it goes on, and is one rotation', async () => {
    const site = trade.site()
    await site.stop()
    const away = await rotate('--network', 'http://127.0.0.1:9')
    assert.equal(away.code, 3, away.error)
    await assert.rejects(readFile(keyFile('next-rotation.jws')), { code: 'ENOENT' })
    const names = ['signing.jwk', 'sealing.jwk', 'rotations.json']
    const before = new Map<string, string>()
    for (const name of names) before.set(name, await readFile(keyFile(name), 'utf8'))
    assert.equal((await rotate()).code, 0)
    await cutOff(names, before)
    await assert.rejects(site.start(), {
      code: 'fault.key_malformed',
      message: /a rotation of them was cut off; end it with "hedgerow site rotate-key"/,
    })
    const again = await rotate()
    assert.equal(again.code, 0, again.error)
    await site.start()
    const { rotations } = JSON.parse(await readFile(keyFile('rotations.json'), 'utf8')) as {
      rotations: string[]
    }
    assert.equal(rotations.length, 2)
    const record = await trade.network.call(trade.network.operator, NETWORK_API.site, {
      params: { id: 'galway' },
    })
    assert.deepEqual(record.rotations, rotations)
    assertSound(await lab.ask(SQL))
  })

  /** Puts the files back as they were when the network had answered and nothing else had happened yet. */
  async function cutOff(names: readonly string[], before: ReadonlyMap<string, string>): Promise<void> {
    const { rotations } = JSON.parse(await readFile(keyFile('rotations.json'), 'utf8')) as {
      rotations: string[]
    }
    await writeFile(keyFile('next-rotation.jws'), `${rotations.at(-1)}\n`, { mode: 0o600 })
    for (const use of ['signing', 'sealing']) await rename(keyFile(`${use}.jwk`), keyFile(`next-${use}.jwk`))
    for (const name of names) await writeFile(keyFile(name), before.get(name) ?? '', { mode: 0o600 })
  }

  test('the operator’s key is replaced, once, however often it is cut off; its evidence stays, the old key is let in no more', async () => {
    const site = trade.site()
    const rotateOperator = () => runCli(home, ['site', 'rotate-operator-key', 'galway'])
    assert.equal((await rotateOperator()).code, 1, 'not while it runs')
    await site.stop()
    // Cut off before the new key took the old one's place: the old key still holds, and the same new key is taken up.
    const next = await ensureKeyFile(keyFile('next-operator.jwk'), 'Ed25519')
    await site.start()
    await site.operator.receipts({ limit: 1 })
    await site.stop()
    const run = await rotateOperator()
    assert.equal(run.code, 0, run.error)
    await site.start()
    const as = (key: KeyPair) => site.client({ issuer: 'operator', key })
    const evidence = await as(next).call(SITE_API.evidence)
    assert.equal(evidence.state, 'valid')
    await assert.rejects(as(site.operatorKey).call(SITE_API.evidence), /unknown-key|token/)
    const late = evidenceOf({ site: 'galway', territory: 'IE', clock: systemClock, key: site.operatorKey })
    await assert.rejects(as(next).call(SITE_API.giveEvidence, { body: { evidence: late } }), {
      code: 'fault.peer_refused',
    })
    assertSound(await lab.ask(SQL))
    // Nothing of the old private key is left.
    const retired = await readFile(keyFile(join('retired', `operator-${site.operatorKey.keyId}.jwk`)), 'utf8')
    assert.deepEqual(JSON.parse(retired), site.operatorKey.publicJwk)
  })

  test('the master key is replaced by a command, with the site stopped, and asks go on after it', async () => {
    const site = trade.site()
    const rotateMaster = () =>
      runCli(home, ['site', 'rotate-master-key', 'galway', '--json'], {
        HEDGEROW_DATABASE_URL: site.databaseUrl,
      })
    const was = await readFile(keyFile('master.key'), 'utf8')
    const running = await rotateMaster()
    assert.equal(running.code, 1, 'not while it runs')
    assert.equal(await readFile(keyFile('master.key'), 'utf8'), was)
    await site.stop()
    const run = await rotateMaster()
    assert.equal(run.code, 0, run.error)
    const said = JSON.parse(run.out) as Record<string, unknown>
    assert.deepEqual([said['keys'], said['isRewritten'], said['isLogRecycled']], [120, true, true])
    assert.ok(!run.out.includes(was.trim()))
    await site.start()
    assertSound(await lab.ask(SQL))
  })
})

/** A directory with the keys of a site and nothing else. */
async function keysAlone(held: AsyncDisposableStack): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'hedgerow-keys-'))
  held.defer(() => rm(directory, { recursive: true }))
  for (const [use, curve] of [
    ['signing', 'Ed25519'],
    ['sealing', 'X25519'],
  ] as const)
    await ensureKeyFile(join(directory, `${use}.jwk`), curve)
  return directory
}

const LEFT = {
  log: { size: 3, root: Buffer.alloc(32).toString('base64') },
  at: instant(1_796_000_000_000),
}
const saidIn = (rotation: string) => keyRotationSchema.parse(parseJson(peekJws(rotation)?.payload ?? ''))

test('a statement that the network looked at and refused waits no longer; one of which nothing is known does', async () => {
  await using held = new AsyncDisposableStack()
  const directory = await keysAlone(held)
  const file = join(directory, 'next-rotation.jws')
  const submitted = new Set<string>()
  const rotateWith = (status: number) =>
    rotateKeyFiles({
      directory,
      name: 'galway',
      now: instant(1_795_000_000_000),
      leaveLog: () => Promise.resolve(LEFT),
      submit: async (rotation) => {
        await Promise.resolve()
        submitted.add(rotation)
        throw new PeerRefusal({ what: 'no', status, problemCode: 'fault.test' })
      },
    })
  for (const status of [401, 429, 500, 503]) await assert.rejects(rotateWith(status), /no/)
  const begun = (await readFile(file, 'utf8')).trim()
  assert.deepEqual([...submitted], [begun])
  const said = saidIn(begun)
  assert.deepEqual([said.log, said.time], [LEFT.log, formatInstant(LEFT.at)])
  for (const status of [400, 403, 409]) {
    await assert.rejects(rotateWith(status), /no/)
    await assert.rejects(readFile(file), { code: 'ENOENT' })
  }
  await readFile(join(directory, 'next-signing.jwk'))
})

test('a statement from before those told of the log is begun anew, unless the network has taken it', async () => {
  for (const isTaken of [false, true]) {
    await using held = new AsyncDisposableStack()
    const directory = await keysAlone(held)
    const now = instant(1_795_000_000_000)
    const submitted: string[] = []
    const rotateOnce = (more: Partial<KeyFileRotation>) =>
      rotateKeyFiles({
        directory,
        name: 'galway',
        now,
        submit: async (rotation) => {
          submitted.push(rotation)
          await Promise.resolve()
        },
        ...more,
      })
    await assert.rejects(
      rotateOnce({ submit: () => Promise.reject(new Error('the network is away')) }),
      /is away/,
    )
    const begun = (await readFile(join(directory, 'next-rotation.jws'), 'utf8')).trim()
    // A site of that version went on meanwhile, with the key that the statement says is replaced.
    let isWaiting: boolean | undefined
    await rotateOnce({
      leaveLog: async () => {
        isWaiting = await readFile(join(directory, 'next-rotation.jws')).then(
          () => true,
          () => false,
        )
        return LEFT
      },
      taken: () => Promise.resolve(isTaken ? ['another', begun] : ['another']),
    })
    const [sent = ''] = submitted
    assert.equal(sent === begun, isTaken)
    const { log, time, next } = saidIn(sent)
    assert.deepEqual(next, saidIn(begun).next, 'the same new keys')
    assert.deepEqual(
      [log, time],
      isTaken ? [undefined, formatInstant(now)] : [LEFT.log, formatInstant(LEFT.at)],
    )
    // The keys of a site are not read while one waits, and leaving its log reads them.
    assert.equal(isWaiting, isTaken ? undefined : false)
  }
})

function assertSound(result: AskResult): void {
  const [answer] = result.sites
  assert.equal(answer?.reason, 'approved')
  assert.deepEqual(answer.problems, [])
  assert.equal(answer.release?.rows.length, 3)
}

async function isAtTheNetwork({ client }: TestAcquirer): Promise<void> {
  const deadline = monotonicMs() + 10_000
  for (;;) {
    const { items } = await client.call(NETWORK_API.listAsks, { query: { limit: 10 } })
    if (items.some(({ status }) => status === 'waiting')) return
    assert.ok(monotonicMs() < deadline, 'the ask arrives')
    await systemClock.sleep(20)
  }
}
