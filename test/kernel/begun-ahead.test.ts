import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { begunAhead } from '../../src/kernel/begun-ahead.ts'

/** Sources that give their name twice, and which of them have ended. */
function twiceEach() {
  const ended: string[] = []
  const source = async function* (name: string) {
    try {
      yield name
      yield name
    } finally {
      ended.push(name)
    }
  }
  return { source, ended }
}

describe('begunAhead()', () => {
  it('gives one source after the other, and begins all of them before it waits for any', async () => {
    const { promise: third, resolve } = Promise.withResolvers<string>()
    const told: string[] = []
    const source = async function* (name: string, first: Promise<string> | string) {
      told.push(`${name} begun`)
      yield await first
      yield `${name} 2`
      told.push(`${name} over`)
    }
    const last = async function* () {
      resolve('of the last')
      yield await third
    }
    // The first waits for what the last gives: one after another they would wait for ever.
    const all = await Array.fromAsync(begunAhead([source('a', third), source('b', 'b 1'), last()]))
    assert.deepEqual(all, ['of the last', 'a 2', 'b 1', 'b 2', 'of the last'])
    assert.deepEqual(told, ['a begun', 'b begun', 'a over', 'b over'])
  })

  it('fails where the turn of the source comes that failed, and ends all others', async () => {
    const { source, ended } = twiceEach()
    const failing = async function* (): AsyncGenerator<string> {
      await Promise.resolve()
      if (ended.length === 0) yield 'one'
      throw new Error('broken')
    }
    const given: string[] = []
    await assert.rejects(async () => {
      for await (const one of begunAhead([source('a'), failing(), source('b')])) given.push(one)
    }, /broken/)
    assert.deepEqual(given, ['a', 'a', 'one'])
    assert.deepEqual(ended, ['a', 'b'])
  })

  it('does not end the process by a source that fails before its turn comes, or when it never does', async () => {
    const { source } = twiceEach()
    const failing = async function* (): AsyncGenerator<string> {
      yield await Promise.reject<string>(new Error('broken'))
    }
    const given: string[] = []
    for await (const one of begunAhead([source('a'), failing()])) {
      given.push(one)
      // As long as it takes to find that nobody waits for what failed.
      await setImmediate()
      break
    }
    assert.deepEqual(given, ['a'])
  })

  it('ends every source when whoever reads stops', async () => {
    const { source, ended } = twiceEach()
    for await (const one of begunAhead([source('a'), source('b')])) {
      assert.equal(one, 'a')
      break
    }
    assert.deepEqual(ended.toSorted(), ['a', 'b'])
  })
})
