// What was bought.

import { html } from "./html.js";
import { tidings } from "./notices.js";

export function bought({ text, ticket }, on) {
	return html`
		<section class="bought" aria-labelledby="heading">
			<h1 id="heading" tabindex="-1">${text.ticket.heading}</h1>
			${stub(text, ticket)}
			<p class="row">
				<button id="again-button" class="quiet" onClick=${on.buyAnother}>${text.ticket.again}</button>
				<button id="tickets-button-below" class="quiet" onClick=${on.openTickets}>${text.ticket.mine}</button>
			</p>
		</section>`;
}

function stub(text, ticket) {
	const words = text.ticket;
	const opens = new Date(ticket.openDate);
	const isRefunded = ticket.status === "REFUNDED";
	return html`
		<article class=${isRefunded ? "stub is-refunded" : "stub"} data-payment=${ticket.id}>
			<div class="stub-main">
				<p class="stub-admit">${isRefunded ? words.refunded : words.admit}</p>
				<h2>${ticket.concertName}</h2>
				<p>${text.day(opens)}<br />${text.time(opens)}</p>
				<p class="small">${words.paid(text.won(ticket.totalAmount))}</p>
			</div>
			<div class="stub-seat">
				<p class="stub-admit">${words.seat}</p>
				<p class="numeral">${ticket.seatNumber}</p>
				<p class="small">${words.number(ticket.id)}</p>
			</div>
		</article>`;
}

export function tickets(view, on) {
	const { text, tickets, ticketsHaveMore } = view;
	return html`
		<dialog id="tickets" class="sheet" aria-labelledby="tickets-heading" onClose=${on.closeSheet}>
			<header class="sheet-head">
				<h2 id="tickets-heading">${text.ticket.mine}</h2>
				<form method="dialog"><button class="quiet" id="tickets-close">${text.close}</button></form>
			</header>
			${tidings(view, on, "tickets")}
			${tickets?.length === 0 && html`<p class="small">${text.ticket.none}</p>`}
			<ul id="ticket-list" class="plain">
				${tickets?.map((ticket) => html`<li key=${ticket.id}>${stub(text, ticket)}</li>`)}
			</ul>
			${ticketsHaveMore && html`<button id="tickets-more" class="quiet" onClick=${on.olderTickets}>${text.money.more}</button>`}
		</dialog>`;
}
