import assert from 'node:assert/strict'
import { readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { sql } from 'kysely'
import { instant } from '../../src/kernel/clock.ts'
import { generateKeyPair } from '../../src/kernel/crypto/keys.ts'
import { Fault } from '../../src/kernel/faults.ts'
import { LIMITS } from '../../src/kernel/limits.ts'
import { logOrigin, openCheckpoint } from '../../src/protocol/proof/checkpoint.ts'
import { leafHash, rootOf } from '../../src/protocol/proof/merkle.ts'
import { parseBundle, tilePath, tileWidth } from '../../src/protocol/proof/tiles.ts'
import { verifyReceiptBundle } from '../../src/protocol/proof/verify-receipt.ts'
import { readLogPosition } from '../../src/transparency/log-position.ts'
import type { Published } from '../../src/transparency/publisher.ts'
import type { ReceiptLog } from '../../src/transparency/receipt-log.ts'
import { WitnessedCheckpoints } from '../../src/transparency/witnessed-checkpoints.ts'
import { TEST_LOG_NOW, migratedDatabase, openTestLog } from './open-test-log.ts'

const refusedWith = (code: string) => (error: unknown) => {
  assert.ok(error instanceof Fault && error.code === code, `expected ${code}, got ${String(error)}`)
  return true
}

/** What an auditor does who has only the served files: reads every entry and computes the root. */
async function audit(log: ReceiptLog, size: number): Promise<Uint8Array> {
  const leaves: Uint8Array[] = []
  for (let index = 0; index * 256 < size; index += 1) {
    const bytes = await log.readTile(
      tilePath({ level: 'entries', index, width: tileWidth({ level: 'entries', index, size }) }),
    )
    assert.ok(bytes)
    for (const entry of parseBundle(bytes) ?? []) leaves.push(leafHash(entry))
    const hashes = await log.readTile(
      tilePath({ level: 0, index, width: tileWidth({ level: 0, index, size }) }),
    )
    assert.equal(
      hashes?.toHex(),
      leaves
        .slice(index * 256)
        .map((leaf) => leaf.toHex())
        .join(''),
    )
  }
  assert.equal(leaves.length, size)
  return rootOf(leaves)
}

describe('a receipt log', () => {
  test('numbers receipts without gaps, proves each and gives an auditor the same root, across tile boundaries', async () => {
    await using site = await openTestLog()
    let size = 0
    for (const count of [1, 254, 1, 1, 300, 211, 1000]) {
      const issued = await site.issue(count, { kind: 'release', mode: 'aggregate', askId: 'ask_1' })
      assert.deepEqual(
        issued.map(({ sequence }) => sequence),
        Array.from({ length: count }, (_, index) => size + index),
      )
      size += count
      for (const sequence of [0, size - 1, Math.floor(size / 2)]) {
        const bundle = await site.log.bundle(sequence)
        const verified = verifyReceiptBundle(bundle, site)
        assert.ok(verified.ok)
        assert.equal(verified.value.receipt.askId, 'ask_1')
      }
      const checkpoint = openCheckpoint((await site.log.checkpoint()) ?? '', {
        origin: 'hedgerow/galway',
        keys: site.keysOf('galway'),
      })
      assert.equal(checkpoint?.size, size)
      assert.equal((await audit(site.log, size)).toHex(), checkpoint.root.toHex())
      assert.equal(
        (await audit(await site.reopen(), size)).toHex(),
        checkpoint.root.toHex(),
        'the same after a restart',
      )
    }
    assert.deepEqual(readdirSync(join(site.directory, 'log', 'tile', '0')).toSorted(), [
      '000',
      '001',
      '002',
      '003',
      '004',
      '005',
      '006.p',
    ])
    assert.equal(
      readdirSync(join(site.directory, 'log', 'tile', '0', '006.p')).length,
      1,
      'shorter forms are removed',
    )
  })

  test('an older, shorter form of a tile is still served, one beyond the checkpoint never', async () => {
    await using site = await openTestLog()
    await site.issue(10)
    assert.equal(await site.log.readTile('tile/0/000.p/10'), undefined, 'not published yet')
    await site.log.publish()
    const ten = await site.log.readTile('tile/0/000.p/10')
    await site.issue(290)
    await site.log.publish()
    assert.deepEqual(await site.log.readTile('tile/0/000.p/10'), ten)
    assert.equal((await site.log.readTile('tile/entries/000.p/10')) !== undefined, true)
    for (const path of [
      'tile/0/001.p/45',
      'tile/0/001',
      'tile/1/000',
      'tile/1/000.p/2',
      'tile/0/002.p/1',
      'tile/entries/001',
      'tile/0/../checkpoint',
      'checkpoint',
      '',
    ]) {
      assert.equal(await site.log.readTile(path), undefined, path)
    }
  })

  test('a transaction that is rolled back leaves no receipt and no gap', async () => {
    await using site = await openTestLog()
    await site.issue(2)
    const failing = site.db.transaction().execute(async (tx) => {
      await site.log.issue(tx, [{ kind: 'grant' }])
      throw new Error('the decision failed')
    })
    await assert.rejects(failing, /the decision failed/)
    assert.deepEqual(
      (await site.issue(1)).map(({ sequence }) => sequence),
      [2],
    )
    await site.log.publish()
    assert.equal((await site.log.list({ after: -1, limit: 10 })).length, 3)
  })

  test('many at once get numbers of their own and proofs that hold', async () => {
    await using site = await openTestLog()
    const sequences = await Promise.all(
      Array.from({ length: 40 }, async (_, index) => {
        const issued = await site.issue(1 + (index % 40))
        const last = issued.at(-1)?.sequence ?? -1
        assert.ok(verifyReceiptBundle(await site.log.bundle(last), site).ok)
        return issued.map(({ sequence }) => sequence)
      }),
    )
    const all = sequences.flat().toSorted((left, right) => left - right)
    assert.deepEqual(
      all,
      Array.from({ length: 820 }, (_, index) => index),
    )
  })

  test('what it is told to be committed is published without being read back, and never before what lies before it', async () => {
    await using site = await openTestLog()
    await site.issue(3)
    const own = await site.issue(2)
    // Told of the later ones only: the three before are in the record.
    site.log.committed(own)
    assert.ok(verifyReceiptBundle(await site.log.bundle(4), site).ok)
    assert.ok(verifyReceiptBundle(await site.log.bundle(0), site).ok)
    const next = await site.issue(1)
    const after = await site.issue(1)
    site.log.committed(next)
    assert.ok(verifyReceiptBundle(await site.log.bundle(5), site).ok)
    // It was committed, and whoever asks for everything or for it gets it although nobody told of it.
    await site.log.publish()
    assert.match((await site.log.checkpoint()) ?? '', /\n7\n/)
    assert.ok(verifyReceiptBundle(await site.log.bundle(after[0]?.sequence ?? 0), site).ok)
    // Another log over the same record and files finds one story.
    const again = await site.reopen()
    assert.equal(await again.checkpoint(), await site.log.checkpoint())
    assert.deepEqual(await audit(site.log, 7), await audit(again, 7))
  })

  test('one receipt is published with all before it, and at once where it is', async () => {
    await using site = await openTestLog()
    const sizeOf = async () =>
      openCheckpoint((await site.log.checkpoint()) ?? '', {
        origin: 'hedgerow/galway',
        keys: site.keysOf('galway'),
      })?.size
    const first = await site.issue(3, { kind: 'access' })
    await site.log.publishOver(first[1]?.sequence ?? -1)
    assert.equal(await sizeOf(), 3)
    const more = await site.issue(2, { kind: 'access' })
    // Only the last is told of: what lies before it is read from the record.
    site.log.committed(more.slice(1))
    await site.log.publishOver(1)
    assert.equal(await sizeOf(), 3, 'what is published already waits for nothing')
    await site.log.publishOver(more[1]?.sequence ?? -1)
    assert.equal(await sizeOf(), 5)
    await assert.rejects(site.log.publishOver(5), refusedWith('fault.not_found'))
  })

  test('pages through receipts, of one kind too', async () => {
    await using site = await openTestLog()
    await site.issue(3, { kind: 'grant' })
    await site.issue(2, { kind: 'ingest', rows: 5 })
    await site.issue(1, { kind: 'grant' })
    assert.deepEqual(
      (await site.log.list({ after: -1, limit: 2 })).map(({ sequence }) => sequence),
      [0, 1],
    )
    assert.deepEqual(
      (await site.log.list({ after: 1, limit: 10 })).map(({ sequence }) => sequence),
      [2, 3, 4, 5],
    )
    assert.deepEqual(
      (await site.log.list({ after: 1, limit: 10, kind: 'grant' })).map(({ sequence }) => sequence),
      [2, 5],
    )
  })

  test('a receipt that is not there is not found', async () => {
    await using site = await openTestLog()
    assert.equal(await site.log.checkpoint(), undefined)
    for (const sequence of [0, -1, 0.5, Number.NaN])
      await assert.rejects(site.log.bundle(sequence), refusedWith('fault.not_found'))
    await site.issue(1)
    const { log } = site
    const none = async () => {
      for (const sequence of [1, -1, 0.5, Number.NaN])
        await assert.rejects(log.bundle(sequence), refusedWith('fault.not_found'))
    }
    await none()
    const [published] = log.witnessing.due()
    assert.ok(published)
    log.witnessing.cosigned(published)
    await none()
    assert.equal((await log.bundle(0)).log.checkpoint, published.note)
  })

  test('what a witness is shown and what it has signed is known by size, and the oldest of very many are let go', () => {
    const log: { published: Published | undefined } = { published: undefined }
    const witnessed = new WitnessedCheckpoints(log)
    const at = (size: number, note = `${size}`) => ({ size, note })
    const due = () => witnessed.due().map(({ size }) => size)
    assert.deepEqual(due(), [])
    for (const size of [5, 3]) witnessed.handOut(at(size))
    log.published = at(7)
    assert.deepEqual(due(), [3, 5, 7])
    assert.deepEqual(due(), [7])
    witnessed.cosigned(at(7, 'signed'))
    witnessed.handOut(at(6))
    assert.deepEqual(due(), [])
    witnessed.cosigned(at(5, 'older'))
    assert.deepEqual(
      [witnessed.over(6)?.note, witnessed.over(7), witnessed.served()?.note],
      ['signed', undefined, 'signed'],
    )
    witnessed.cosigned(at(7, 'again'))
    assert.equal(witnessed.served()?.note, 'again')
    log.published = at(8)
    assert.deepEqual([witnessed.served()?.note, witnessed.over(6)?.note], ['8', 'again'])
    const most = LIMITS.checkpointsToWitnessMax
    log.published = undefined
    for (let size = 10; size <= 10 + most; size += 1) witnessed.handOut(at(size))
    const kept = due()
    assert.deepEqual([kept.length, kept[0]], [most, 11])
  })

  test('what a key leaves is the whole log, and a moment that no receipt is after, though the clock was set back', async () => {
    await using site = await openTestLog()
    const minuteMs = 60_000
    const at = (minutes: number) => instant(TEST_LOG_NOW + minutes * minuteMs)
    const empty = { size: 0, root: rootOf([]).toBase64() }
    assert.deepEqual(await readLogPosition(site.log, at(0)), { log: empty, at: at(0) })
    let { log } = site
    for (const now of [at(0), at(30), at(10)]) {
      log = await site.reopen({ now })
      // Not published yet: what was committed counts too.
      const issuing = log
      await site.db.transaction().execute((tx) => issuing.issue(tx, [{ kind: 'grant' }, { kind: 'grant' }]))
    }
    const left = await readLogPosition(log, at(20))
    const whole = { size: 6, root: (await audit(log, 6)).toBase64() }
    assert.deepEqual(left, { log: whole, at: at(30) })
    assert.deepEqual(await readLogPosition(log, at(31)), { log: whole, at: at(31) })
  })

  test('a log goes on under a new key, and the old receipts still verify', async () => {
    await using site = await openTestLog()
    await site.issue(3)
    await site.log.publish()
    const next = generateKeyPair('Ed25519')
    await assert.rejects(site.reopen({ key: next }), refusedWith('fault.log_damaged'))
    const log = await site.reopen({ key: next, formerKeys: [site.key.publicJwk] })
    // Before anything is issued: whoever the old key leaks to has no checkpoint that counts.
    const opened = openCheckpoint((await log.checkpoint()) ?? '', {
      origin: logOrigin('galway'),
      keys: [next.publicJwk],
    })
    assert.equal(opened?.size, 3)
    await site.db.transaction().execute((tx) => log.issue(tx, [{ kind: 'policy' }]))
    const keysOf = () => [next.publicJwk, site.key.publicJwk]
    for (const sequence of [0, 3]) assert.ok(verifyReceiptBundle(await log.bundle(sequence), { keysOf }).ok)
  })
})

describe('the table of receipts only grows', () => {
  const attempts = {
    'a change': sql`update receipt set jws = 'x.y.z' where sequence = 0`,
    'a removal': sql`delete from receipt where sequence = 0`,
    'a removal of nothing': sql`delete from receipt where false`,
    'an emptying': sql`truncate receipt`,
    'a lower number for the next': sql`update receipt_counter set next_sequence = 0`,
    'a removal of the counter': sql`delete from receipt_counter`,
    'an emptying of the counter': sql`truncate receipt_counter`,
    'a second counter': sql`insert into receipt_counter (only_row, next_sequence) values (false, 0)`,
    'a second receipt at one number': sql`insert into receipt values (0, 'grant', 'x')`,
    'a negative number': sql`insert into receipt values (-1, 'grant', 'x')`,
  }
  for (const [what, statement] of Object.entries(attempts)) {
    test(`${what} is refused`, async () => {
      await using site = await openTestLog()
      await site.issue(2)
      await assert.rejects(statement.execute(site.db))
      assert.equal((await site.log.list({ after: -1, limit: 9 })).length, 2)
    })
  }
})

describe('a log that was tampered with is never gone on with', () => {
  async function published(count: number) {
    const site = await openTestLog()
    await site.issue(count)
    await site.log.publish()
    return site
  }
  const filesOf = (directory: string) => ({
    checkpoint: join(directory, 'log', 'checkpoint'),
    edge: join(directory, 'log', 'tile', '0', '001.p', '44'),
    full: join(directory, 'log', 'tile', '0', '000'),
  })
  const flip = (path: string, at: number) => {
    const bytes = readFileSync(path)
    bytes[at] = (bytes[at] ?? 0) ^ 1
    writeFileSync(path, bytes)
  }

  test('a changed checkpoint', async () => {
    await using site = await published(300)
    flip(filesOf(site.directory).checkpoint, 20)
    await assert.rejects(site.reopen(), refusedWith('fault.log_damaged'))
  })

  test('a checkpoint that was put back to an earlier one while we run', async () => {
    await using site = await published(300)
    const earlier = readFileSync(filesOf(site.directory).checkpoint)
    await site.issue(1)
    await site.log.publish()
    writeFileSync(filesOf(site.directory).checkpoint, earlier)
    await site.issue(1)
    await assert.rejects(site.log.publish(), refusedWith('fault.log_damaged'))
  })

  for (const more of [5, 300]) {
    test(`but a checkpoint from before the last ${more} receipts, as after a power failure, leads to the same log`, async () => {
      await using site = await published(300)
      const { checkpoint } = filesOf(site.directory)
      const earlier = readFileSync(checkpoint)
      await site.issue(more)
      await site.log.publish()
      const later = readFileSync(checkpoint, 'utf8')
      writeFileSync(checkpoint, earlier)
      assert.equal(await (await site.reopen()).checkpoint(), later)
    })
  }

  test('a changed or missing tile at the edge', async () => {
    await using site = await published(300)
    const { edge } = filesOf(site.directory)
    flip(edge, 40)
    await assert.rejects(site.reopen(), refusedWith('fault.log_damaged'))
    rmSync(edge)
    await assert.rejects(site.reopen(), refusedWith('fault.log_damaged'))
  })

  test('a changed tile above the receipts', async () => {
    await using site = await published(300)
    flip(join(site.directory, 'log', 'tile', '1', '000.p', '1'), 5)
    await assert.rejects(site.reopen(), refusedWith('fault.log_damaged'))
  })

  test('a record that is behind, as after restoring an older backup of the database alone', async () => {
    await using site = await published(300)
    await using other = await migratedDatabase()
    await assert.rejects(site.reopen({ db: other.db }), refusedWith('fault.log_damaged'))
  })

  test('a record with other receipts', async () => {
    await using site = await published(300)
    await using other = await openTestLog()
    await other.issue(300, { kind: 'decline' })
    await assert.rejects(site.reopen({ db: other.db }), refusedWith('fault.log_damaged'))
  })

  test('a checkpoint that was removed, over a record with other receipts', async () => {
    await using site = await published(300)
    rmSync(filesOf(site.directory).checkpoint)
    await using other = await openTestLog()
    await other.issue(300, { kind: 'decline' })
    await assert.rejects(site.reopen({ db: other.db }), refusedWith('fault.log_damaged'))
  })

  test('a checkpoint that was removed, over the same record, comes back the same', async () => {
    await using site = await published(300)
    const before = await site.log.checkpoint()
    rmSync(filesOf(site.directory).checkpoint)
    assert.equal(await (await site.reopen()).checkpoint(), before)
  })

  test('a gap in the record', async () => {
    await using site = await published(3)
    await sql`update receipt_counter set next_sequence = 10`.execute(site.db)
    await site.issue(1)
    await assert.rejects(site.log.publish(), refusedWith('fault.log_damaged'))
  })
})
