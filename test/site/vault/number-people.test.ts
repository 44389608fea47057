import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { systemClock } from '../../../src/kernel/clock.ts'
import { sha256 } from '../../../src/kernel/digest.ts'
import { openVault } from '../../../src/site/vault/open-vault.ts'
import { aManifest } from './a-manifest.ts'
import { freshDirectory, freshVault, watch, rowsOf, minute, rowsFrom } from './vault-fixture.ts'

test('numberPeople() numbers densely from 0 in order of first mention, for ever', async () => {
  const directory = await freshDirectory()
  const digests = (names: readonly number[]) => names.map((name) => sha256(`person ${name}`))
  const expected = new Map<number, number>()
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(fc.nat(40), { maxLength: 30 }), { maxLength: 4 }), async (calls) => {
      await using vault = await openVault({ directory, clock: systemClock })
      for (const names of calls) {
        const numbers = await vault.numberPeople(digests(names))
        for (const [index, name] of names.entries()) {
          if (!expected.has(name)) expected.set(name, expected.size)
          assert.equal(numbers[index], expected.get(name))
        }
        assert.deepEqual([...(await vault.findPeople(digests(names)))], [...numbers])
      }
      assert.equal(await vault.personCount(), expected.size)
    }),
    { numRuns: 8 },
  )
})

test('findPeople() gives nobody for who is unknown', async () => {
  await using vault = await freshVault()
  await vault.numberPeople([sha256('a')])
  assert.deepEqual([...(await vault.findPeople([sha256('b'), sha256('a')]))], [-1, 0])
})

test('principals() keeps the later birth date and the newer residence', async () => {
  await using vault = await freshVault()
  await vault.numberPeople([sha256('a'), sha256('b'), sha256('c')])
  await vault.keepPrincipals([
    { person: 0, birthDate: '1970-01-11', residence: 'IE' },
    { person: 2, residence: 'CH' },
  ])
  await vault.keepPrincipals([{ person: 0, birthDate: '1970-01-02', residence: 'CH' }, { person: 2 }])
  const { birthDay, residence, countries } = await vault.principals()
  assert.deepEqual([...birthDay], [10, -2_147_483_648, -2_147_483_648])
  assert.deepEqual(
    [...residence].map((code) => countries[code]),
    ['CH', '', 'CH'],
  )
})

test('many who are numbered by several at once have one number each, and nobody else has it', async () => {
  await using vault = await freshVault()
  const names = (from: number) => Array.from({ length: 100 }, (_, index) => from + index)
  const given = new Map<number, Set<number>>()
  await Promise.all(
    [0, 50, 100, 50].map(async (from) => {
      const numbers = await vault.numberPeople(names(from).map((name) => sha256(`person ${name}`)))
      for (const [index, name] of names(from).entries())
        given.set(name, (given.get(name) ?? new Set()).add(numbers[index] ?? -1))
    }),
  )
  assert.ok([...given.values()].every((numbers) => numbers.size === 1))
  assert.equal(new Set([...given.values()].flatMap((numbers) => [...numbers])).size, 200)
  assert.equal(await vault.personCount(), 200)
})

test('principals() that were read follow what is kept of people afterwards', async () => {
  await using vault = await freshVault()
  await vault.numberPeople([sha256('0'), sha256('1')])
  assert.equal((await vault.principals()).residence[1], 0)
  await vault.keepPrincipals([{ person: 1, birthDate: '1970-01-11', residence: 'SE' }])
  const { birthDay, residence, countries } = await vault.principals()
  assert.equal(birthDay[1], 10)
  assert.equal(countries[residence[1] ?? 0], 'SE')
})

test('people() gives everybody with a row, and follows appends and forgetting', async () => {
  await using vault = await freshVault()
  await vault.describe(aManifest())
  assert.deepEqual([...(await vault.people(watch))], [])
  await vault.numberPeople(Array.from({ length: 70 }, (_, index) => sha256(`${index}`)))
  await vault.append(
    { manifest: aManifest(), batch: 'one' },
    rowsOf(minute(3, 1), minute(66, 1), minute(3, 2)),
  )
  assert.deepEqual([...(await vault.people(watch))], [3, 66])
  await vault.forget(3)
  assert.deepEqual([...(await vault.people(watch))], [66])
  assert.deepEqual([...(await vault.findPeople([sha256('3')]))], [-1])
  assert.deepEqual([...(await vault.numberPeople([sha256('3')]))], [70])
})

test('whoever is forgotten goes from data sets and households, too, that came after somebody else was forgotten', async () => {
  await using vault = await freshVault()
  await vault.describe(aManifest())
  await vault.numberPeople(Array.from({ length: 5 }, (_, index) => sha256(`${index}`)))
  await vault.append(
    { manifest: aManifest(), batch: 'one' },
    rowsOf(...[0, 1, 2, 3].map((person) => minute(person, 1))),
  )
  await vault.forget(0)
  const later = aManifest({ dataSet: 'later' })
  await vault.describe(later)
  await vault.append({ manifest: later, batch: 'one' }, rowsOf(minute(1, 1), minute(2, 1)))
  await vault.forget(1)
  assert.deepEqual(await rowsFrom(vault, 'select "_p" from ds_later'), [[2]])
  await vault.keepHouseholds([{ household: 4, members: [2, 3] }])
  await vault.append({ manifest: aManifest(), batch: 'two' }, rowsOf(minute(4, 1)))
  await vault.forget(2)
  assert.deepEqual(await rowsFrom(vault, 'select "_p" from ds_watch order by 1'), [[3], [4]])
  await vault.forget(3)
  assert.deepEqual(await rowsFrom(vault, 'select "_p" from ds_watch'), [])
})
