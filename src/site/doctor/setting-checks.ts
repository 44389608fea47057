import { readFile } from 'node:fs/promises'
import { finding } from '../examination.ts'
import type { Examination, Finding } from '../examination.ts'

/** Whether people can sign in. */
export function checkSignIn({ settings }: Examination): Promise<Finding[]> {
  return Promise.resolve(
    settings.oidc === undefined
      ? [
          finding('sign-in of people', 'warning', {
            says: 'people cannot sign in to see and change their grants',
            remedy: 'Set "oidc" to the OpenID Connect provider of the issuer',
          }),
        ]
      : [finding('sign-in of people', 'good', { says: `by ${settings.oidc.issuer}` })],
  )
}

/** Whether something insecure is set. */
export async function checkSettings({ settings, environment, directory }: Examination): Promise<Finding[]> {
  const file = await readFile(directory.config, 'utf8').catch(() => '')
  const insecure = [...Object.keys(environment), ...(file.match(/INSECURE_\w+/g) ?? [])].filter((name) =>
    name.includes('INSECURE_'),
  )
  const findings = insecure.map((name) =>
    finding('settings', 'bad', { says: `"${name}" is set`, remedy: 'Take it away' }),
  )
  const isOpen = !['127.0.0.1', '::1', 'localhost'].includes(settings.host)
  if (isOpen)
    findings.push(
      finding('settings', 'warning', {
        says: `the door listens on ${settings.host}, not only on this machine`,
        remedy: 'Put a proxy with TLS before it, and a firewall',
      }),
    )
  if (
    settings.network.url.startsWith('http://') &&
    !/^http:\/\/(127\.|localhost|\[::1\])/.test(settings.network.url)
  ) {
    findings.push(
      finding('settings', 'warning', {
        says: 'the line to the network is not encrypted by TLS',
        remedy: 'Use an https:// address of the network',
      }),
    )
  }
  return findings.length > 0 ? findings : [finding('settings', 'good', { says: 'nothing insecure is set' })]
}
