/** Names of accounts that become the account `into`. */
export interface JoinedAccounts {
  readonly into: string
  readonly from: readonly string[]
}

/** Somebody who uses an account; disposed of when done with it. */
export interface AccountUse extends Disposable {
  /** The account that is meant by now: that of the group, where it was joined with others meanwhile. */
  readonly account: string
}

/** Whoever uses an account and whoever makes one of several take turns, so that no loss is written to an account that is no more. */
export class AccountTurns {
  readonly #joinedInto = new Map<string, string>()
  readonly #uses = new Map<string, number>()
  #joining: { readonly names: ReadonlySet<string>; readonly done: Promise<void> } | undefined
  #onUseEnd: () => void = () => undefined

  /** Waits while the account is being joined with others. */
  async use(name: string): Promise<AccountUse> {
    for (;;) {
      const account = this.#joinedInto.get(name) ?? name
      if (this.#joining?.names.has(account) !== true) return this.#begin(account)
      await this.#joining.done
    }
  }

  /** Acts when nobody uses any of the accounts, and nobody begins to meanwhile. One join at a time. */
  async join({ into, from }: JoinedAccounts, act: () => Promise<void>): Promise<void> {
    while (this.#joining) await this.#joining.done
    const names = new Set([into, ...from])
    const ended = Promise.withResolvers<void>()
    this.#joining = { names, done: ended.promise }
    try {
      await this.#unused(names)
      await act()
      for (const [name, account] of this.#joinedInto) if (names.has(account)) this.#joinedInto.set(name, into)
      for (const name of from) this.#joinedInto.set(name, into)
    } finally {
      this.#joining = undefined
      ended.resolve()
    }
  }

  #begin(account: string): AccountUse {
    this.#uses.set(account, (this.#uses.get(account) ?? 0) + 1)
    let isOver = false
    return {
      account,
      [Symbol.dispose]: () => {
        if (isOver) return
        isOver = true
        const left = (this.#uses.get(account) ?? 1) - 1
        if (left > 0) this.#uses.set(account, left)
        else this.#uses.delete(account)
        this.#onUseEnd()
      },
    }
  }

  async #unused(names: ReadonlySet<string>): Promise<void> {
    while ([...names].some((name) => this.#uses.has(name))) {
      await new Promise<void>((resolve) => {
        this.#onUseEnd = resolve
      })
    }
    this.#onUseEnd = () => undefined
  }
}
