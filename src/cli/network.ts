import { join } from 'node:path'
import type { Command } from 'commander'
import { packageVersion } from './package-version.ts'
import type { Session } from './session.ts'
import { serverExitCode } from './site.ts'
import { perform, verb } from './verb.ts'

interface ServeOptions {
  readonly config?: string
  readonly port?: string
  readonly host?: string
}

/** `hedgerow network …`: the switch between acquirers, issuers and sites. */
export function addNetworkVerbs(program: Command, session: Session): void {
  const network = program.command('network').description('a network: members, offers, asks, money')
  verb(network, {
    name: 'serve',
    summary: 'run a network until it is stopped',
    example: 'hedgerow network serve --port 7400',
    hasJson: false,
  })
    .option('--config <file>', 'settings; absent: config.yaml of the network')
    .option('--port <number>', 'port of its door')
    .option('--host <address>', 'address of its door')
    .action((options: ServeOptions) => perform(session, () => serve(session, options), serverExitCode))
}

async function serve(session: Session, options: ServeOptions): Promise<void> {
  const { runNetwork } = await import('../network/main.ts')
  await runNetwork({
    root: join(session.home, 'network'),
    file: options.config,
    environment: session.environment,
    flags: { port: options.port, host: options.host },
    signal: session.signal,
    version: packageVersion(),
  })
}
