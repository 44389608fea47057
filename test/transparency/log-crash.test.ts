import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { systemClock } from '../../src/kernel/clock.ts'
import { readKeyFile } from '../../src/kernel/crypto/key-file.ts'
import { digestOf } from '../../src/kernel/digest.ts'
import { lockDirectory } from '../../src/kernel/directory-lock.ts'
import { silentLog } from '../../src/kernel/log.ts'
import { openPostgres } from '../../src/kernel/postgres/open-postgres.ts'
import { openCheckpoint } from '../../src/protocol/proof/checkpoint.ts'
import type { Checkpoint } from '../../src/protocol/proof/checkpoint.ts'
import { isConsistent, proveConsistency } from '../../src/protocol/proof/merkle.ts'
import type { HashReader } from '../../src/protocol/proof/merkle.ts'
import { TILE_WIDTH, Tile, tileOf, tilePath, tileWidth } from '../../src/protocol/proof/tiles.ts'
import type { TileName } from '../../src/protocol/proof/tiles.ts'
import { verifyReceiptBundle } from '../../src/protocol/proof/verify-receipt.ts'
import type { TileFile } from '../../src/transparency/log-tree.ts'
import { Publisher } from '../../src/transparency/publisher.ts'
import { openReceiptLog } from '../../src/transparency/receipt-log.ts'
import type { ReceiptLog } from '../../src/transparency/receipt-log.ts'
import { TileFiles } from '../../src/transparency/tile-files.ts'
import { openTestLog } from './open-test-log.ts'

interface Acknowledged {
  readonly batch: string
  readonly count: number
  readonly sequence: number
  readonly digest: string
}

/** Reads hashes from what a log serves, at its present size. */
const served =
  (log: ReceiptLog, size: number): HashReader =>
  async (subtree) => {
    const { level, index, height, offset } = tileOf(subtree)
    const bytes = await log.readTile(tilePath({ level, index, width: tileWidth({ level, index, size }) }))
    const hash = bytes && Tile.fromBytes(bytes)?.node(height, offset)
    assert.ok(hash)
    return hash
  }

async function requireGrown(
  log: ReceiptLog,
  { before, after }: { before: Checkpoint | undefined; after: Checkpoint },
): Promise<void> {
  if (!before) return
  const sizes = { size1: before.size, size2: after.size }
  const proof = await proveConsistency(sizes, served(log, after.size))
  assert.ok(
    isConsistent({ ...sizes, root1: before.root, root2: after.root, proof }),
    `${before.size} to ${after.size}`,
  )
}

async function issueAndKill(directory: string, afterMs: number): Promise<readonly Acknowledged[]> {
  const child = spawn(
    process.execPath,
    [fileURLToPath(new URL('issue-until-killed.ts', import.meta.url)), directory],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  const acknowledged: Acknowledged[] = []
  const lines = createInterface({ input: child.stdout })
  const opened = new Promise<void>((resolve, reject) => {
    lines.on('line', (line) =>
      line === 'open' ? resolve() : acknowledged.push(JSON.parse(line) as Acknowledged),
    )
    child.once('exit', () => reject(new Error('ended before it was open')))
  })
  await opened
  await systemClock.sleep(afterMs)
  child.kill('SIGKILL')
  await Promise.all([once(child, 'exit'), once(lines, 'close')])
  return acknowledged
}

test(
  'a server that is killed while issuing loses nothing that it acknowledged, has nothing twice, and its log only grows',
  { timeout: 120_000 },
  async () => {
    const directory = mkdtempSync(join(tmpdir(), 'hedgerow-crash-'))
    try {
      let before: Checkpoint | undefined
      const acknowledged: Acknowledged[] = []
      for (const afterMs of [0, 130, 371]) {
        acknowledged.push(...(await issueAndKill(directory, afterMs)))
        await using lock = await lockDirectory(directory)
        assert.ok(lock)
        await using postgres = await openPostgres({ directory, name: 'site', log: silentLog })
        const key = await readKeyFile(join(directory, 'keys', 'signing.jwk'))
        const log = await openReceiptLog({
          db: postgres.db,
          directory,
          signer: { name: 'galway', key },
          clock: systemClock,
        })
        const after = openCheckpoint((await log.checkpoint()) ?? '', {
          origin: 'hedgerow/galway',
          keys: [key.publicJwk],
        })
        if (!after) continue
        await requireGrown(log, { before, after })
        before = after
        const rows = await log.list({ after: -1, limit: 1_000_000 })
        assert.deepEqual(
          rows.map(({ sequence }) => sequence),
          Array.from({ length: after.size }, (_, index) => index),
        )
        const batches = new Map<string, number>()
        for (const { jws } of rows) {
          const { batch } = JSON.parse(Buffer.from(jws.split('.')[1] ?? '', 'base64url').toString()) as {
            batch: string
          }
          batches.set(batch, (batches.get(batch) ?? 0) + 1)
        }
        for (const { batch, count, sequence, digest } of acknowledged) {
          assert.ok((batches.get(batch) ?? 0) >= count, `batch ${batch} is whole`)
          assert.equal(digestOf(rows[sequence]?.jws ?? ''), digest)
          assert.ok(verifyReceiptBundle(await log.bundle(sequence), { keysOf: () => [key.publicJwk] }).ok)
        }
      }
      assert.ok(acknowledged.length > 0)
    } finally {
      rmSync(directory, { recursive: true, force: true })
    }
  },
)

/** Files that stop taking anything after so many steps, as if the process had been killed there. */
class DyingFiles extends TileFiles {
  #stepsLeft: number

  constructor(directory: string, steps: number) {
    super(directory)
    this.#stepsLeft = steps
  }

  override async writeTiles(files: readonly TileFile[]): Promise<void> {
    for (const file of files) {
      this.#step()
      await super.writeTiles([file])
    }
  }

  override async writeCheckpoint(note: string, tiles: readonly TileFile[]): Promise<void> {
    await this.writeTiles(tiles)
    this.#step()
    await super.writeCheckpoint(note, [])
  }

  override async removePartial(name: TileName): Promise<void> {
    this.#step()
    await super.removePartial(name)
  }

  #step(): void {
    if (this.#stepsLeft === 0) throw new Error('killed')
    this.#stepsLeft -= 1
  }
}

describe('a crash at any step of publishing', () => {
  test('leaves a log that goes on with the very same roots', async () => {
    await using site = await openTestLog()
    await site.issue(250)
    await site.log.publish()
    const note = () => readFileSync(join(site.directory, 'log', 'checkpoint'), 'utf8')
    const opened = (text: string) => {
      const checkpoint = openCheckpoint(text, { origin: 'hedgerow/galway', keys: site.keysOf('galway') })
      assert.ok(checkpoint)
      return checkpoint
    }
    const parts = { db: site.db, origin: 'hedgerow/galway', key: site.key, formerKeys: [] }
    let isDone = false
    for (let steps = 0; !isDone; steps += 1) {
      assert.ok(steps < 20)
      const before = opened(note())
      await site.issue(300)
      const dying = new Publisher({ ...parts, files: new DyingFiles(join(site.directory, 'log'), steps) })
      await dying.publish().then(
        () => (isDone = true),
        () => undefined,
      )
      const between = opened(note())
      const log = await site.reopen()
      const after = opened(note())
      assert.ok(before.size <= between.size && between.size <= after.size)
      await requireGrown(log, { before, after: between })
      await requireGrown(log, { before: between, after })
      assert.ok(verifyReceiptBundle(await log.bundle(after.size - 1), site).ok)
      assert.equal(after.size % 300, 250)
    }
  })

  test('shows no checkpoint before its tiles are there to stay', async () => {
    await using site = await openTestLog()
    await site.issue(3)
    const path = join(site.directory, 'log', 'checkpoint')
    class SlowFiles extends TileFiles {
      override async writeTiles(files: readonly TileFile[]): Promise<void> {
        await new Promise((resolve) => setTimeout(resolve, 50))
        assert.equal(existsSync(path), false)
        await super.writeTiles(files)
        assert.equal(existsSync(path), false)
      }
    }
    const files = new SlowFiles(join(site.directory, 'log'))
    const parts = { db: site.db, origin: 'hedgerow/galway', key: site.key, formerKeys: [] }
    await new Publisher({ ...parts, files }).publish()
    assert.match(readFileSync(path, 'utf8'), /\n3\n/)
  })

  test('a round that fails is made up for by the next, in the same process', async () => {
    await using site = await openTestLog()
    await site.issue(TILE_WIDTH + 10)
    class OnceFullFiles extends TileFiles {
      isFull = true
      override async writeTiles(files: readonly TileFile[]): Promise<void> {
        await super.writeTiles(files.slice(0, 1))
        if (this.isFull) throw Object.assign(new Error('no space'), { code: 'ENOSPC' })
        await super.writeTiles(files)
      }
    }
    const files = new OnceFullFiles(join(site.directory, 'log'))
    const publisher = new Publisher({
      db: site.db,
      origin: 'hedgerow/galway',
      key: site.key,
      formerKeys: [],
      files,
    })
    await assert.rejects(publisher.publish(), { code: 'fault.disk_full' })
    files.isFull = false
    await publisher.publish()
    assert.equal(publisher.published?.size, TILE_WIDTH + 10)
    await site.reopen()
  })
})
