import type { Command } from 'commander'
import type { Session } from './session.ts'
import { perform, verb } from './verb.ts'

interface DemoOptions {
  readonly once?: boolean
  readonly data?: string
  readonly port?: string
  readonly details?: boolean
}

/** `hedgerow demo`: what `make run` runs. */
export function addDemoVerb(program: Command, session: Session): void {
  verb(program, {
    name: 'demo',
    summary: 'show a whole trade on this machine: a network, three sites, real data, asks, money and proofs',
    example: 'hedgerow demo --once',
    hasJson: false,
  })
    .option('--once', 'stop afterwards; exit code 0 only if every expectation held')
    .option('--data <directory>', 'add the larger studies in this directory')
    .option('--port <number>', 'port of the network; the sites come 11, 12 and 13 after it', '7400')
    .option('--details', 'print the whole of every release')
    .action((options: DemoOptions) =>
      perform(session, async () => {
        const { runDemo } = await import('../demo/run-demo.ts')
        return runDemo(session, options)
      }),
    )
}
