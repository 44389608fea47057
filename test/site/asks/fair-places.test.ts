import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { Fault } from '../../../src/kernel/faults.ts'
import { FairPlaces } from '../../../src/site/asks/fair-places.ts'

/** What is done in places, and ended by hand. */
function bench(counts = { places: 10, forNewcomers: 2 }) {
  const places = new FairPlaces(counts)
  const begun: { readonly owner: string; end(): void }[] = []
  const send = (owner: string): Promise<void> =>
    places.use(owner, () => {
      const { promise, resolve } = Promise.withResolvers<void>()
      begun.push({ owner, end: resolve })
      return promise
    })
  /** Lets everything that can go on go on. */
  const settle = () => new Promise((resolve) => setImmediate(resolve))
  const running = (owner: string, ended: number) =>
    begun.slice(ended).filter((one) => one.owner === owner).length
  return { places, begun, send, settle, running }
}

describe('FairPlaces', () => {
  test('has room for whoever has none, however many another sends', async () => {
    const { begun, send, settle, running } = bench()
    const flood = Array.from({ length: 500 }, () => send('flooder'))
    await settle()
    assert.equal(running('flooder', 0), 8)
    const second = send('modest')
    await settle()
    assert.equal(running('modest', 0), 1, 'at once')
    for (let index = 0; index < begun.length; index += 1) {
      begun[index]?.end()
      await settle()
    }
    await Promise.all([...flood, second])
    assert.equal(begun.length, 501)
  })

  test('gives a free place to the one that has fewest, and turn by turn among equals', async () => {
    const { begun, send, settle } = bench({ places: 2, forNewcomers: 0 })
    for (const owner of ['a', 'a', 'a', 'a', 'b', 'b', 'c']) void send(owner)
    await settle()
    for (let index = 0; index < 7; index += 1) {
      begun[index]?.end()
      await settle()
    }
    assert.equal(begun.map(({ owner }) => owner).join(''), 'aabacba')
  })

  test('refuses who waits once it is closed, and lets who has a place go on', async () => {
    const { places, begun, send, settle } = bench({ places: 1, forNewcomers: 0 })
    const [first, second] = [send('a'), send('a')]
    const isStopping = (error: unknown) => error instanceof Fault && error.code === 'fault.unavailable'
    const refused = assert.rejects(second, isStopping)
    places.close()
    await refused
    await assert.rejects(send('b'), isStopping)
    begun[0]?.end()
    await first
    await settle()
    assert.equal(begun.length, 1)
  })

  test('gives the place of one that failed to the next', async () => {
    const places = new FairPlaces({ places: 1, forNewcomers: 0 })
    const failing = places.use('a', () => Promise.reject(new Error('broken')))
    const next = places.use('a', () => Promise.resolve('done'))
    await assert.rejects(failing, /broken/)
    assert.equal(await next, 'done')
  })

  test('begins everything in the end, never more at once than there are places, and leaves no place idle', async () => {
    const owners = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 40 })
    const counts = fc.record({
      places: fc.integer({ min: 2, max: 6 }),
      forNewcomers: fc.integer({ min: 0, max: 1 }),
    })
    await fc.assert(
      fc.asyncProperty(owners, counts, fc.infiniteStream(fc.nat()), async (sent, given, draws) => {
        const { begun, send, settle } = bench(given)
        const all = sent.map(send)
        const ended = new Set<number>()
        for (let round = 0; round < sent.length; round += 1) {
          await settle()
          const open = begun.map((_, index) => index).filter((index) => !ended.has(index))
          assert.ok(open.length <= given.places)
          const waiting = sent.length - begun.length
          // The last places may wait for somebody who has none; the others never do.
          assert.ok(waiting === 0 || open.length >= given.places - given.forNewcomers)
          const chosen = open[(draws.next().value ?? 0) % open.length] ?? -1
          ended.add(chosen)
          begun[chosen]?.end()
        }
        await Promise.all(all)
        assert.deepEqual(begun.map(({ owner }) => owner).toSorted(), sent.toSorted())
      }),
      { numRuns: 100 },
    )
  })
})
