import { createServer } from 'node:http'
import { SignJWT, exportJWK, generateKeyPair } from 'jose'

/** An OpenID Connect provider on this machine: discovery and keys over real HTTP, tokens by a real key. */
export interface TestProvider extends AsyncDisposable {
  readonly url: string
  /** The `oidc` settings of a site whose people sign in here, as people of the issuer `federation`. */
  readonly settings: {
    readonly issuer: string
    readonly audience: string
    readonly personClaim: string
    readonly member: string
  }
  /** A token with these claims, good for five minutes unless told otherwise. */
  token(claims: Readonly<Record<string, unknown>>, more?: TokenFacts): Promise<string>
}

/** What a token says of itself. */
export interface TokenFacts {
  readonly audience?: string
  readonly expires?: string
  readonly issuedBy?: string
}

const AUDIENCE = 'people-of-a-test'

export async function testProvider(): Promise<TestProvider> {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
  const jwk = { ...(await exportJWK(publicKey)), kid: 'provider-1', alg: 'ES256' }
  const server = createServer((request, response) => {
    const body = request.url === '/jwks' ? { keys: [jwk] } : { issuer: url, jwks_uri: `${url}/jwks` }
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify(body))
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', () => resolve()))
  const address = server.address()
  const url = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`
  return {
    url,
    settings: { issuer: url, audience: AUDIENCE, personClaim: 'sub', member: 'federation' },
    token: (claims, { audience = AUDIENCE, expires = '5m', issuedBy = url } = {}) =>
      new SignJWT(claims)
        .setProtectedHeader({ alg: 'ES256', kid: 'provider-1' })
        .setIssuer(issuedBy)
        .setAudience(audience)
        .setIssuedAt()
        .setExpirationTime(expires)
        .sign(privateKey),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise<void>((resolve) => void server.close(() => resolve()))
    },
  }
}
