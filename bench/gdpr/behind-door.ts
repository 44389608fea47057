import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { systemClock } from '../../src/kernel/clock.ts'
import { callJson } from '../../src/kernel/http/call-json.ts'
import { databaseBytes } from './database-bytes.ts'
import type { GdprSystem } from './operations.ts'

/**
 * PostgreSQL, retrofitted, behind a web door with a token, in a process of its own and called by the same client as a site is: what is
 * left between this and a site is what the site does, and not that it is reached by HTTP.
 */
export async function openBehindDoor(
  url: string,
  { records, callers, retrofit }: { records: number; callers: number; retrofit: 'retrofitted' | 'signed' },
): Promise<GdprSystem & AsyncDisposable> {
  const child = spawn(
    process.execPath,
    [fileURLToPath(new URL('door-child.ts', import.meta.url)), url, `${records}`, `${callers}`, retrofit],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string]
  const [door = '', token = ''] = line.split(' ')
  const response = z.strictObject({ answer: z.string() })
  return {
    name: `PostgreSQL, ${retrofit}, behind a door`,
    async perform(operation, caller) {
      const { answer } = await callJson({
        url: `${door}/v1/operations/${caller}`,
        method: 'POST',
        token,
        body: operation,
        response,
        clock: systemClock,
      })
      return answer
    },
    bytes: () => databaseBytes(url),
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM')
      await once(child, 'exit')
    },
  }
}
