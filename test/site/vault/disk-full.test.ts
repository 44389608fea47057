import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { systemClock } from '../../../src/kernel/clock.ts'
import { sha256 } from '../../../src/kernel/digest.ts'
import { Fault } from '../../../src/kernel/faults.ts'
import { openVault } from '../../../src/site/vault/open-vault.ts'
import type { RowChunk, Vault } from '../../../src/site/vault/vault.ts'
import { cannotMount, fillDisk, mountDisk } from '../../system/small-disk.ts'
import { aManifest } from './a-manifest.ts'

const skip = await cannotMount()
const ROWS = 2_000
const BATCHES = 5

/** Eight megabytes that do not compress. */
function wideRows(batch: number): readonly RowChunk[] {
  const texts = Array.from({ length: ROWS }, (_, row) => noteOf(batch * ROWS + row))
  return [
    {
      rowCount: ROWS,
      values: (column) => texts.map((text) => (column === 0 ? 0 : column === 5 ? text : null)),
    },
  ]
}

function noteOf(seed: number): string {
  return Array.from({ length: 500 }, (_, index) =>
    Math.sin(seed * 500 + index)
      .toString(36)
      .slice(3, 11),
  ).join('')
}

// With 4 MB the log of the vault's file cannot be written; with 20 MB it can, but not the file when the log is folded in.
for (const [leftMb, ends] of [
  [4, false],
  [20, true],
] as const) {
  test(
    `a disk with ${leftMb} MB left: each batch is there whole or not at all, and the vault says when it ended`,
    { skip },
    async () => {
      await using opening = new AsyncDisposableStack()
      const disk = await mkdtemp(join(tmpdir(), 'hedgerow-vault-disk-'))
      opening.defer(() => rm(disk, { recursive: true, force: true }))
      mountDisk(disk, 160, opening)
      const directory = join(disk, 'vault')
      const append = (vault: Vault, batch: number) =>
        vault.append({ manifest: aManifest(), batch: `batch-${batch}` }, wideRows(batch))
      let taken = 0
      {
        await using vault = await openVault({ directory, clock: systemClock })
        let end: Fault | undefined
        void vault.ended.then((fault) => (end = fault))
        await vault.describe(aManifest())
        await vault.numberPeople([sha256('a')])
        for (; taken < 2; taken += 1) await append(vault, taken)
        await using filler = await fillDisk(disk, leftMb)
        await assert.rejects(
          async () => {
            for (; taken < BATCHES; taken += 1) await append(vault, taken)
          },
          (thrown: unknown) =>
            thrown instanceof Fault && thrown.code === (ends ? 'fault.ended_disk_full' : 'fault.disk_full'),
        )
        await filler.empty()
        const again: unknown = await append(vault, taken).catch((thrown: unknown) => thrown)
        assert.equal(again instanceof Fault, ends)
        assert.equal(end?.code, ends ? 'fault.ended_disk_full' : undefined)
      }
      await using vault = await openVault({ directory, clock: systemClock })
      for (let batch = 0; batch < BATCHES; batch += 1) {
        const { isNew, rows } = await append(vault, batch)
        assert.equal(rows, ROWS)
        if (batch < taken) assert.equal(isNew, false, 'it was acknowledged')
      }
      const counted = await vault.run(
        { sql: 'select count(*) from ds_watch' },
        { timeoutMs: 5_000, rowsMax: 1 },
      )
      assert.ok(counted.ok)
      assert.deepEqual(counted.value.rows(), [[BigInt(ROWS * BATCHES)]])
    },
  )
}
