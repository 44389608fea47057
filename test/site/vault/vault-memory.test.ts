import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { systemClock } from '../../../src/kernel/clock.ts'
import { sha256 } from '../../../src/kernel/digest.ts'
import { dataSetIdSchema } from '../../../src/protocol/wire.ts'
import { Households } from '../../../src/site/vault/households.ts'
import { openVault } from '../../../src/site/vault/open-vault.ts'
import { VaultMemory } from '../../../src/site/vault/vault-memory.ts'
import { NOBODY, UNKNOWN_BIRTH_DAY } from '../../../src/site/vault/vault.ts'
import type { RowChunk, Vault } from '../../../src/site/vault/vault.ts'
import { aManifest } from './a-manifest.ts'

const watch = dataSetIdSchema.parse('watch')
const NAMES = ['a', 'b', 'c', 'd', 'e']

let directory: string
let vault: Vault
let batches = 0

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'hedgerow-memory-'))
  vault = await openVault({ directory, clock: systemClock })
})
after(async () => {
  await vault[Symbol.asyncDispose]()
  await rm(directory, { recursive: true, force: true })
})

/** What the vault says when it is asked, which is what memory keeps. */
async function seen() {
  const numbers = [...(await vault.findPeople(NAMES.map((name) => sha256(name))))]
  const { birthDay } = await vault.principals()
  return {
    numbers,
    personCount: await vault.personCount(),
    people: [...(await vault.people(watch))],
    rowNumbers: [...(await vault.numbers(watch))],
    ofThisYear: [...(await vault.people(watch, { column: 'at', from: '2026-01-01' }))],
    rows: await vault.rowCount(watch),
    rowsPerPerson: await vault.rowsPerPerson(watch),
    known: birthDay.length,
    born: numbers.map((number) => (number === NOBODY ? undefined : birthDay[number])),
  }
}

/** The same kept by plain means. */
class Model {
  readonly numbers = new Map<string, number>()
  readonly rows = new Map<number, number>()
  readonly born = new Map<number, number>()
  /** Whose rows are all of another year. */
  readonly ofOtherYears = new Set<number>()
  count = 0

  seen(): Awaited<ReturnType<typeof seen>> {
    const numbers = NAMES.map((name) => this.numbers.get(name) ?? NOBODY)
    const people = [...this.rows.keys()].toSorted((one, other) => one - other)
    return {
      numbers,
      personCount: this.count,
      people,
      rowNumbers: people,
      ofThisYear: people.filter((number) => !this.ofOtherYears.has(number)),
      rows: [...this.rows.values()].reduce((sum, rows) => sum + rows, 0),
      rowsPerPerson: Math.max(0, ...this.rows.values()),
      known: this.count,
      born: numbers.map((number) =>
        number === NOBODY ? undefined : (this.born.get(number) ?? UNKNOWN_BIRTH_DAY),
      ),
    }
  }
}

async function come(model: Model, names: readonly string[]): Promise<void> {
  const numbers = await vault.numberPeople(names.map((name) => sha256(name)))
  for (const [index, name] of names.entries()) {
    if (!model.numbers.has(name)) {
      model.numbers.set(name, model.count)
      model.count += 1
    }
    assert.equal(numbers[index], model.numbers.get(name))
  }
}

async function bringRows(model: Model, names: readonly string[]): Promise<void> {
  const numbers = names.flatMap((name) => model.numbers.get(name) ?? [])
  await vault.append({ manifest: aManifest(), batch: String((batches += 1)) }, [minutesOf(numbers)])
  for (const number of numbers) {
    model.rows.set(number, (model.rows.get(number) ?? 0) + 1)
    model.ofOtherYears.delete(number)
  }
}

/** Small batches, with whoever is new and when they were born. */
async function comeTogether(model: Model, groups: readonly (readonly string[])[]): Promise<void> {
  const all = [...new Set(groups.flat())]
  const { numbers, first, newcomers } = await vault.expectNumbers(all.map((name) => sha256(name)))
  const numberOf = new Map(all.map((name, index) => [name, numbers[index] ?? NOBODY]))
  const taken = await vault.takeTogether({
    expected: { first, newcomers },
    facts: all.map((name) => ({ person: numberOf.get(name) ?? NOBODY, birthDate: '1970-01-02' })),
    batches: groups.map((some) => {
      const people = some.map((name) => numberOf.get(name) ?? NOBODY)
      return {
        manifest: aManifest(),
        batch: String((batches += 1)),
        people,
        seal: () => new Uint8Array(1),
        rows: minutesOf(people),
      }
    }),
  })
  assert.deepEqual(
    taken,
    groups.map(({ length: rows }) => ({ isNew: true, rows })),
  )
  for (const name of all) {
    const number = numberOf.get(name) ?? NOBODY
    if (!model.numbers.has(name)) assert.equal(number, model.count++)
    model.numbers.set(name, number)
    model.born.set(number, Math.max(1, model.born.get(number) ?? 1))
  }
  for (const name of groups.flat()) {
    const number = numberOf.get(name) ?? NOBODY
    model.rows.set(number, (model.rows.get(number) ?? 0) + 1)
    model.ofOtherYears.delete(number)
  }
}

function minutesOf(numbers: readonly number[]): RowChunk {
  return {
    rowCount: numbers.length,
    values: (column) =>
      numbers.map((number) => [number, '2026-01-01T00:00:00.000Z', 1, 61.5, true, 'walk'][column] ?? null),
  }
}

async function correctDays(model: Model, name: string): Promise<void> {
  const person = model.numbers.get(name)
  if (person === undefined) return
  const set = new Map([['at', '2025-06-01T00:00:00.000Z']])
  await vault.correct({ manifest: aManifest(), number: person, person, set, where: new Map(), facts: {} })
  if (model.rows.has(person)) model.ofOtherYears.add(person)
}

async function leave(model: Model, name: string): Promise<void> {
  const number = model.numbers.get(name)
  if (number === undefined) return
  await vault.forget(number)
  noteLeft(model, name)
}

async function leaveTogether(model: Model, names: readonly string[]): Promise<void> {
  await vault.forgetAll(names.flatMap((name) => model.numbers.get(name) ?? []))
  for (const name of names) noteLeft(model, name)
}

function noteLeft(model: Model, name: string): void {
  const number = model.numbers.get(name) ?? NOBODY
  model.numbers.delete(name)
  model.rows.delete(number)
  model.born.delete(number)
  model.ofOtherYears.delete(number)
}

async function tellBirth(model: Model, name: string): Promise<void> {
  const person = model.numbers.get(name)
  if (person === undefined) return
  await vault.keepPrincipals([{ person, birthDate: '1970-01-03' }])
  model.born.set(person, 2)
}

const name = fc.constantFrom(...NAMES)
const names = fc.array(name, { minLength: 1, maxLength: 4 })
const step = fc.oneof(
  fc.record({ act: fc.constant('come' as const), names }),
  fc.record({ act: fc.constant('rows' as const), names }),
  fc.record({
    act: fc.constant('together' as const),
    groups: fc.array(names, { minLength: 1, maxLength: 3 }),
  }),
  fc.record({ act: fc.constant('leave' as const), name }),
  fc.record({ act: fc.constant('leave together' as const), names }),
  fc.record({ act: fc.constant('born' as const), name }),
  fc.record({ act: fc.constant('correct' as const), name }),
  fc.record({ act: fc.constant('look' as const) }),
  fc.record({ act: fc.constant('look meanwhile' as const) }),
)

test('what the vault keeps in memory is what a vault says that was just opened, whatever came and went', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 14 }), async (steps) => {
      await startAnew()
      const model = new Model()
      const looks: Promise<unknown>[] = []
      try {
        for (const taken of steps) {
          if (taken.act === 'come') await come(model, taken.names)
          else if (taken.act === 'rows') await bringRows(model, taken.names)
          else if (taken.act === 'together') await comeTogether(model, taken.groups)
          else if (taken.act === 'leave') await leave(model, taken.name)
          else if (taken.act === 'leave together') await leaveTogether(model, taken.names)
          else if (taken.act === 'born') await tellBirth(model, taken.name)
          else if (taken.act === 'correct') await correctDays(model, taken.name)
          else if (taken.act === 'look') assert.deepEqual(await seen(), model.seen())
          // What it finds may be from before or after the next step; what is kept afterwards may not.
          else looks.push(seen())
        }
        await Promise.all(looks)
        assert.deepEqual(await seen(), model.seen())
      } finally {
        // The next vault is opened in the same place.
        await Promise.allSettled(looks)
      }
    }),
    { numRuns: 20 },
  )
})

/** A vault in which nobody ever was. */
async function startAnew(): Promise<void> {
  await vault[Symbol.asyncDispose]()
  await rm(directory, { recursive: true, force: true })
  vault = await openVault({ directory, clock: systemClock })
  await vault.describe(aManifest())
}

test('a count that was read again since a change began is not gone on from', async () => {
  const memory = new VaultMemory()
  const counting = async (count: number) => {
    await memory.households(() => Promise.resolve(new Households()))
    return memory.rowCount(watch, () => Promise.resolve(count))
  }
  assert.equal(await counting(3), 3)
  const rows = new Map([[7, 1]])
  memory.noteAppended(watch, { rows, before: memory.counts() })
  assert.equal(await counting(-1), 4)
  const before = memory.counts()
  // Whoever reads it now may have read it after the change.
  memory.forgetAll()
  assert.equal(await counting(8), 8)
  memory.noteAppended(watch, { rows, before })
  assert.equal(await counting(8), 8)
})
