// The wallet: the balance, a charge, and what happened before.

import { html } from "./html.js";
import { tidings } from "./notices.js";

const AMOUNTS = [50_000, 100_000, 200_000];

export function wallet(view, on) {
	const { text, me, balance, history, historyHasMore, isBusy } = view;
	const words = text.money;
	const submit = (event) => {
		event.preventDefault();
		const amount = Number(new FormData(event.target).get("amount"));
		if (Number.isInteger(amount) && amount > 0) on.charge(amount);
	};
	const set = (amount) => {
		document.getElementById("charge-amount").value = amount;
	};
	return html`
		<dialog id="wallet" class="sheet" aria-labelledby="wallet-heading" onClose=${on.closeSheet}>
			<header class="sheet-head">
				<h2 id="wallet-heading">${words.heading}</h2>
				<form method="dialog"><button class="quiet" id="wallet-close">${text.close}</button></form>
			</header>
			${tidings(view, on, "wallet")}
			<p class="price" id="wallet-balance">${typeof balance === "number" ? text.won(balance) : "–"}</p>
			<form id="charge-form" onSubmit=${submit}>
				<label for="charge-amount">${words.amount}</label>
				<div class="join-row">
					<input id="charge-amount" name="amount" type="number" inputmode="numeric" min="1" max="100000000"
						step="1" required defaultValue=${AMOUNTS[1]} />
					<button id="charge-button" class="primary" disabled=${!me} aria-disabled=${isBusy("charge")}>
						${isBusy("charge") ? words.charging : words.charge}
					</button>
				</div>
				<p class="row chips">${AMOUNTS.map((amount) => html`
					<button type="button" class="chip" key=${amount} onClick=${() => set(amount)}>${text.won(amount)}</button>`)}
				</p>
			</form>
			<h3>${words.history}</h3>
			${history?.length === 0 && html`<p class="small">${words.none}</p>`}
			<ol id="history" class="history">
				${history?.map((entry) => html`
					<li key=${entry.id}>
						<span>${words.kind[entry.kind] ?? entry.description}
							<time class="small" datetime=${entry.created_at}>${text.moment(new Date(entry.created_at))}</time></span>
						<span class=${entry.amount < 0 ? "sum" : "sum plus"}>
							${entry.amount < 0 ? "−" : "+"}${text.won(Math.abs(entry.amount))}
							<small>${text.won(entry.balanceAfter)}</small></span>
					</li>`)}
			</ol>
			${historyHasMore && html`<button id="history-more" class="quiet" onClick=${on.olderHistory}>${words.more}</button>`}
		</dialog>`;
}
