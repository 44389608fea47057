import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { copyFile, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import type { TestContext } from 'node:test'
import { setImmediate, setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { Bitset } from '../../../src/kernel/bitset.ts'
import { systemClock } from '../../../src/kernel/clock.ts'
import { sha256 } from '../../../src/kernel/digest.ts'
import { Mutex } from '../../../src/kernel/mutex.ts'
import { CopyJournal } from '../../../src/site/vault/copy-journal.ts'
import { openVault } from '../../../src/site/vault/open-vault.ts'
import type { RowChunk, Vault, VaultValue } from '../../../src/site/vault/vault.ts'
import { filesOf } from '../../../src/testing/files-of.ts'
import { correction } from './a-correction.ts'
import { aManifest } from './a-manifest.ts'
import { aroundStatements } from './engine-calls.ts'

const MARKER = 'zqvault9gone'
const manifest = aManifest()
const { dataSet } = manifest
const CHILD = fileURLToPath(new URL('./compact-until-killed.ts', import.meta.url))
const LIMITS = { timeoutMs: 10_000, rowsMax: 100_000 }

const directories: string[] = []
after(async () => {
  for (const directory of directories) await rm(directory, { recursive: true, force: true })
})

async function freshDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'hedgerow-compact-'))
  directories.push(directory)
  return directory
}

function rowsOf(rows: readonly (readonly [person: number, activity: string])[]): RowChunk[] {
  const columns: readonly ((row: readonly [number, string]) => VaultValue)[] = [
    ([person]) => person,
    () => '2026-01-01T00:00:00.000Z',
    () => 10,
    () => 61.5,
    () => true,
    ([, activity]) => activity,
  ]
  return [{ rowCount: rows.length, values: (column) => rows.map((row) => columns[column]?.(row) ?? null) }]
}

async function countOf(vault: Vault, where = 'true'): Promise<number> {
  const outcome = await vault.run({ sql: `select count(*) from ds_watch where ${where}` }, LIMITS)
  assert.ok(outcome.ok)
  return Number(outcome.value.rows()[0]?.[0])
}

/** Whose each row is, and its steps. */
async function rowsIn(vault: Vault): Promise<readonly (readonly VaultValue[])[]> {
  const found = await vault.run({ sql: 'select "_p", steps from ds_watch' }, LIMITS)
  assert.ok(found.ok)
  return found.value.rows()
}

async function holdsMarker(directory: string, marker = MARKER): Promise<boolean> {
  return (await filesOf(directory)).some((bytes) => bytes.includes(marker))
}

async function filled(directory: string, people: number): Promise<Vault> {
  const vault = await openVault({ directory, clock: systemClock })
  await vault.describe(manifest)
  await vault.numberPeople(Array.from({ length: people }, (_, index) => sha256(`p${index}`)))
  const rows = Array.from({ length: people }, (_, person) => [person, `${MARKER}-${person}-`] as const)
  await vault.append({ manifest, batch: 'one' }, rowsOf(rows))
  return vault
}

test('compact() leaves no byte of what was forgotten, and everything else as it was', async () => {
  const directory = await freshDirectory()
  {
    await using vault = await filled(directory, 300)
    await vault.forget(7)
    assert.equal(await countOf(vault), 299)
    await vault.compact()
    assert.equal(await holdsMarker(directory, `${MARKER}-7-`), false)
    assert.equal(await holdsMarker(directory, `${MARKER}-8-`), true)
    assert.equal(await countOf(vault), 299)
    assert.equal(await vault.personCount(), 300, 'the number stays taken')
    await vault.forget(8)
    await vault.compact()
    assert.equal(await holdsMarker(directory, `${MARKER}-8-`), false)
    assert.deepEqual((await readdir(directory)).toSorted(), ['g3', 'generation'])
  }
  await using again = await openVault({ directory, clock: systemClock })
  assert.equal(await countOf(again), 298)
  assert.equal(await again.findBatch({ dataSet, batch: 'one' }), 300)
  assert.deepEqual([...(await again.numberPeople([sha256('p7'), sha256('p9')]))], [300, 9])
})

test('whoever holds a table of eligible people reads on while the file is replaced', async () => {
  const directory = await freshDirectory()
  await using vault = await filled(directory, 100)
  let compacted: Promise<void> | undefined
  await vault.withEligible({ people: Bitset.of([1, 2, 3]), cacheKey: 'three' }, async (table) => {
    compacted = vault.compact()
    // Long enough that another takes the place of the engine that made the table.
    while ((await readdir(directory)).includes('generation') === false) await countOf(vault)
    const sql = `select count(*) from ds_watch d join ${table} e on e."_p" = d."_p"`
    const outcome = await vault.run({ sql }, LIMITS)
    assert.ok(outcome.ok)
    assert.equal(Number(outcome.value.rows()[0]?.[0]), 3)
    assert.ok((await readdir(directory)).includes('vault.duckdb'), 'the old file waits for its readers')
  })
  await compacted
  assert.ok(!(await readdir(directory)).includes('vault.duckdb'))
  await vault.withEligible({ people: Bitset.of([4]), cacheKey: 'one' }, async (table) => {
    const outcome = await vault.run({ sql: `select count(*) from ${table}` }, LIMITS)
    assert.ok(outcome.ok)
  })
})

test('what changes while the file is copied is in the copy', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.record({
          act: fc.constantFrom('forget', 'append', 'correct', 'correct', 'correct', 'read'),
          person: fc.nat(2),
          from: fc.constantFrom(10, 20, 30),
        }),
        { maxLength: 8 },
      ),
      async (acts) => {
        const directory = await freshDirectory()
        await using vault = await filled(directory, 50)
        // What each person's rows say, in their order.
        const stepsOf = new Map(Array.from({ length: 50 }, (_, person) => [person, [10]]))
        const compacted = vault.compact()
        for (const [index, { act, person, from }] of acts.entries()) {
          const own = stepsOf.get(person) ?? []
          if (act === 'forget') {
            await vault.forget(person)
            stepsOf.set(person, [])
          } else if (act === 'append' && own.length > 0) {
            await vault.append({ manifest, batch: `more ${index}` }, rowsOf([[person, 'more']]))
            stepsOf.set(person, [...own, 10])
          } else if (act === 'correct') {
            // Made twice in the copy, or of rows as they became after it, it would come to something else.
            const to = (from % 30) + 10
            await vault.correct(correction(person, from, to))
            stepsOf.set(
              person,
              own.map((steps) => (steps === from ? to : steps)),
            )
          } else await countOf(vault)
        }
        await compacted
        const inOrder = (rows: readonly (readonly unknown[])[]) => rows.map((row) => row.join(' ')).toSorted()
        const expected = [...stepsOf].flatMap(([person, all]) => all.map((steps) => [person, steps]))
        assert.deepEqual(inOrder(await rowsIn(vault)), inOrder(expected))
      },
    ),
    { numRuns: 12 },
  )
})

test('what is corrected while the file is copied is corrected once in the copy', async () => {
  await using vault = await filled(await freshDirectory(), 500)
  let isOver = false
  const compacted = vault.compact().finally(() => {
    isOver = true
  })
  let people = 0
  // Both once more would make 30 of what has become 20.
  for (; !isOver && people < 500; people += 1) {
    await vault.correct(correction(people, 20, 30))
    await vault.correct(correction(people, 10, 20))
  }
  await compacted
  assert.ok(people >= 3, `only ${people} were corrected meanwhile`)
  assert.equal(await countOf(vault, 'steps = 20'), people)
  assert.equal(await countOf(vault, 'steps = 10'), 500 - people)
})

/** Changes the vault at the end of a turn, before whoever had the turn hears of its end: the how manieth from here. */
function changeAfterTurn(
  t: TestContext,
  { turn, change }: { turn: number; change: () => Promise<unknown> },
): void {
  async function runAndChange<T>(this: Mutex, act: () => Promise<T>): Promise<T> {
    const value = await this.run(act)
    await change()
    return value
  }
  t.mock.method(Mutex.prototype, 'run').mock.mockImplementationOnce(runAndChange, turn)
}

test('what is changed after the moment of which the copy is, before anything is read for it, is changed once', async (t) => {
  await using vault = await filled(await freshDirectory(), 3)
  // The first is that of the compaction, the second that in which the moment is taken.
  changeAfterTurn(t, {
    turn: 1,
    change: async () => {
      await vault.correct(correction(1, 20, 30))
      await vault.correct(correction(1, 10, 20))
    },
  })
  await vault.compact()
  assert.equal(await countOf(vault, 'steps = 20'), 1)
  assert.equal(await countOf(vault, 'steps = 10'), 2)
})

test('a mark that is given while the file is copied waits for no copy, and is in it', async () => {
  const directory = await freshDirectory()
  {
    await using vault = await filled(directory, 100)
    await vault.keepMark('before')
    const compacted = vault.compact()
    await setImmediate()
    // Whoever holds this moment lets nobody write, until the copy is there but for its last step.
    const { promise: gate, resolve: open } = Promise.withResolvers<void>()
    const { promise: begun, resolve: hasBegun } = Promise.withResolvers<void>()
    const taken = vault.snapshot(() => {
      hasBegun()
      return gate
    })
    await begun
    const marked = vault.keepMark('during')
    await setTimeout(150)
    open()
    await Promise.all([taken, marked, compacted])
    assert.equal(await vault.mark(), 'during')
    const again = vault.withEligible({ people: Bitset.of([1]), cacheKey: 'one' }, async () => {
      const replaced = vault.compact()
      while ((await readdir(directory)).includes('g3') === false) await countOf(vault)
      // The compaction does not end before whoever reads here.
      await vault.keepMark('at the end')
      return { replaced }
    })
    await (
      await again
    ).replaced
  }
  await using again = await openVault({ directory, clock: systemClock })
  assert.equal(await again.mark(), 'at the end')
})

/** A change of one row, under way until it is told to end. */
function underWay(vault: Vault): { readonly end: () => void; readonly done: Promise<unknown> } {
  const { promise: gate, resolve: end } = Promise.withResolvers<void>()
  async function* late() {
    await gate
    yield* rowsOf([[1, 'more']])
  }
  return { end, done: vault.append({ manifest, batch: 'late' }, late()) }
}

test('what is under way when the file begins to be copied is in the copy', async () => {
  const directory = await freshDirectory()
  await using vault = await filled(directory, 50)
  const { end, done } = underWay(vault)
  const compacted = vault.compact()
  // Long enough for a copy of what there was before.
  await setTimeout(100)
  end()
  await Promise.all([done, compacted])
  assert.equal(await countOf(vault), 51)
})

/** Keeps whoever corrects rows in its turn until it is told to let go. */
function correctionsWait(t: TestContext): { readonly letGo: () => void } {
  const { promise: gate, resolve: letGo } = Promise.withResolvers<void>()
  aroundStatements(t, async (text, run) => {
    if (text.includes('update "ds_watch"')) await gate
    return run()
  })
  return { letGo }
}

test('a snapshot that waits while the file is replaced has what was changed before it', async (t) => {
  const directory = await freshDirectory()
  await using vault = await filled(directory, 50)
  const { letGo } = correctionsWait(t)
  const begun = t.mock.method(CopyJournal.prototype, 'begin')
  const compacted = vault.compact()
  while (begun.mock.callCount() === 0) await setImmediate()
  // Behind this wait, in this order, the copy that is to take the place of the file, the forgetting of somebody, and the snapshot.
  const corrected = vault.correct(correction(3, 10, 20))
  await setTimeout(150)
  const forgotten = vault.forget(7)
  await setTimeout(10)
  const taken = vault.snapshot(() => Promise.resolve())
  await setTimeout(30)
  letGo()
  const { path } = await taken
  await Promise.all([corrected, compacted, forgotten])
  const copied = await freshDirectory()
  await copyFile(path, join(copied, 'vault.duckdb'))
  await using copy = await openVault({ directory: copied, clock: systemClock })
  assert.equal(await countOf(copy, '"_p" = 7'), 0)
  assert.equal(await countOf(copy), 49)
  assert.equal(await countOf(copy, 'steps = 20'), 1)
})

test('a snapshot has nothing that is changed after its moment, before anything is read for it', async (t) => {
  await using vault = await filled(await freshDirectory(), 3)
  changeAfterTurn(t, { turn: 0, change: () => vault.forget(1) })
  const { path } = await vault.snapshot(() => Promise.resolve())
  const copied = await freshDirectory()
  await copyFile(path, join(copied, 'vault.duckdb'))
  await using copy = await openVault({ directory: copied, clock: systemClock })
  assert.equal(await countOf(copy), 3)
})

test('rows of somebody who is forgotten while an import brings them are never read', async () => {
  const directory = await freshDirectory()
  await using vault = await filled(directory, 10)
  const batch = { manifest, batch: 'long' }
  await vault.setAside({ ...batch, from: 0 }, rowsOf([[3, `${MARKER}-late`]]))
  await vault.forget(3)
  await vault.setAside({ ...batch, from: 1 }, rowsOf([[3, `${MARKER}-late`]]))
  await vault.setAside({ ...batch, from: 2 }, rowsOf([[4, 'other']]))
  await vault.take({ dataSet, batch: 'long' })
  assert.equal(await countOf(vault, '"_p" = 3'), 0)
  assert.equal(await countOf(vault, '"_p" = 4'), 2)
  await vault.append({ manifest, batch: 'short' }, rowsOf([[3, `${MARKER}-late`]]))
  assert.equal(await countOf(vault, '"_p" = 3'), 0)
  await vault.compact()
  assert.equal(await holdsMarker(directory, `${MARKER}-late`), false)
})

test('the first rows of a data set, too, come without whoever was forgotten meanwhile', async () => {
  await using vault = await openVault({ directory: await freshDirectory(), clock: systemClock })
  await vault.describe(manifest)
  await vault.numberPeople([sha256('a'), sha256('b')])
  await vault.setAside(
    { manifest, batch: 'one', from: 0 },
    rowsOf([
      [0, 'x'],
      [1, 'y'],
    ]),
  )
  await vault.forget(0)
  await vault.setAside({ manifest, batch: 'one', from: 2 }, rowsOf([[0, 'x']]))
  await vault.take({ dataSet, batch: 'one' })
  assert.equal(await countOf(vault), 1)
})

test('a compaction that was killed, before or after it was decided, leaves one whole vault', async () => {
  const directory = await freshDirectory()
  await (await filled(directory, 20))[Symbol.asyncDispose]()
  // Killed while it copied: half a file beside the one in force.
  await mkdir(join(directory, 'g2'))
  await writeFile(join(directory, 'g2', 'vault.duckdb'), 'half a file')
  {
    await using vault = await openVault({ directory, clock: systemClock })
    assert.equal(await countOf(vault), 20)
    assert.ok(!(await readdir(directory)).includes('g2'))
  }
  // Killed before the old file was removed.
  const old = await readFile(join(directory, 'vault.duckdb'))
  {
    await using vault = await openVault({ directory, clock: systemClock })
    await vault.forget(5)
    await vault.compact()
  }
  await writeFile(join(directory, 'vault.duckdb'), old)
  await using vault = await openVault({ directory, clock: systemClock })
  assert.equal(await countOf(vault), 19)
  assert.ok(!(await readdir(directory)).includes('vault.duckdb'), 'what was replaced does not come back')
})

test(
  'a compaction that is killed at any moment loses no change that was made beside it',
  { timeout: 60_000 },
  async () => {
    const directory = await freshDirectory()
    // So few that their values are not compressed, and can be looked for.
    const people = Array.from({ length: 400 }, (_, person) => person)
    await (await filled(directory, people.length))[Symbol.asyncDispose]()
    const stepsOf = new Map(people.map((person) => [person, 10]))
    // What is under way when it is killed may be made or not, or the first half of it.
    const unsure = new Set<number>()
    let first = 0
    for (const changes of [0, 3, 8, 20]) {
      const child = [CHILD, directory, String(first), String(changes)]
      const { signal, stdout, stderr } = spawnSync(process.execPath, child, { encoding: 'utf8' })
      assert.equal(signal, 'SIGKILL', stderr)
      const made = stdout.split('\n').slice(0, -1).map(Number)
      for (const person of made)
        if (person % 2 === 0) stepsOf.delete(person)
        else stepsOf.set(person, 20)
      assert.ok(made.length >= changes)
      const underWay = first + made.length
      unsure.add(underWay)
      first = underWay + 2 - (underWay % 2)
      await using vault = await openVault({ directory, clock: systemClock })
      const found = new Map((await rowsIn(vault)).map(([person, steps]) => [Number(person), Number(steps)]))
      const wrong = people.filter(
        (person) => !unsure.has(person) && found.get(person) !== stepsOf.get(person),
      )
      assert.deepEqual(wrong, [], `killed after ${made.length} changes`)
    }
    {
      await using vault = await openVault({ directory, clock: systemClock })
      await vault.compact()
    }
    const left = (await filesOf(directory)).map(String).join('')
    const isSure = (person: number) => !unsure.has(person)
    assert.deepEqual(
      people.filter((person) => isSure(person) && left.includes(`${MARKER}-${person}-`)),
      people.filter((person) => isSure(person) && stepsOf.has(person)),
    )
  },
)

test('a statement that slipped through the gate gets at no file of the vault, the next one neither', async () => {
  const directory = await freshDirectory()
  await using vault = await filled(directory, 5)
  for (const name of ['vault.duckdb', 'generation', 'g2/vault.duckdb', 'spool/file']) {
    const sql = `select * from read_blob('${join(directory, name)}')`
    await assert.rejects(vault.run({ sql }, LIMITS), { name: 'Fault' })
  }
})
