/* Pages for browsers without JavaScript. */
#include "plain_page.h"

#include <string.h>
#include <strings.h>

#define BUSY_REFRESH_S 5
#define Q_WHOLE 1000

enum trouble { NO_PLACE, BAD_NAME, NOT_UNDERSTOOD, CLOSED, BUSY, TROUBLES };

struct words {
	const char *code; /* BCP 47 */
	const char *waiting, *in_draw, *admitted;
	const char *place, *ahead, *eta, *minutes, *eta_unknown, *opens, *until;
	const char *keep_open, *paused, *closed, *all_held, *sold_out;
	const char *go_on, *token;
	const char *name, *join, *again;
	const char *troubles[TROUBLES];
};

static const struct words languages[PLAIN_LANGUAGES] = {
	[PLAIN_ENGLISH] =
		{
			.code = "en",
			.waiting = "You are in the line",
			.in_draw = "You are in the draw",
			.admitted = "It is your turn",
			.place = "Your place",
			.ahead = "Ahead of you",
			.eta = "Wait",
			.minutes = "min.",
			.eta_unknown = "not known yet",
			.opens = "Places are drawn at",
			.until = "Your turn ends at",
			.keep_open =
				"Leave this page open: it renews itself, and your place is kept.",
			.paused = "Nobody is let in at the moment. Every place is kept.",
			.closed = "The line is closed: nobody else can join.",
			.all_held = "All seats are held by others just now. Some may become free.",
			.sold_out = "All seats are sold.",
			.go_on = "Seats are chosen and paid for in a browser with JavaScript, or "
				 "by any "
				 "program that sends this queue token in the header queue-token. "
				 "Keep it to yourself.",
			.token = "Queue token",
			.name = "Your name",
			.join = "Join the line",
			.again = "Try again",
			.troubles = {[NO_PLACE] = "You are not in the line.",
				     [BAD_NAME] = "A name takes 1 to 100 characters.",
				     [NOT_UNDERSTOOD] = "This request cannot be understood.",
				     [CLOSED] = "The line is closed.",
				     [BUSY] = "We are busy. Nothing is lost: try again."},
		},
	[PLAIN_KOREAN] =
		{
			.code = "ko",
			.waiting = "줄을 서 있습니다",
			.in_draw = "추첨을 기다리고 있습니다",
			.admitted = "입장하실 차례입니다",
			.place = "내 순서",
			.ahead = "앞에 있는 사람",
			.eta = "예상 대기 시간",
			.minutes = "분",
			.eta_unknown = "아직 알 수 없음",
			.opens = "추첨 시각",
			.until = "입장 종료 시각",
			.keep_open =
				"이 페이지를 열어 두세요. 저절로 새로 고쳐지며 순서는 유지됩니다.",
			.paused = "지금은 입장이 멈춰 있습니다. 순서는 그대로 유지됩니다.",
			.closed = "줄이 닫혔습니다. 더 이상 줄을 설 수 없습니다.",
			.all_held = "지금은 모든 좌석이 선점되어 있습니다. 다시 풀릴 수 있습니다.",
			.sold_out = "모든 좌석이 팔렸습니다.",
			.go_on = "좌석 선택과 결제는 JavaScript를 쓰는 브라우저에서, 또는 이 "
				 "대기열 토큰을 "
				 "queue-token 헤더로 보내는 프로그램으로 할 수 있습니다. 다른 "
				 "사람에게 "
				 "보여 주지 마세요.",
			.token = "대기열 토큰",
			.name = "이름",
			.join = "줄 서기",
			.again = "다시 시도",
			.troubles = {[NO_PLACE] = "줄을 서 있지 않습니다.",
				     [BAD_NAME] = "이름은 1자에서 100자까지 쓸 수 있습니다.",
				     [NOT_UNDERSTOOD] = "요청을 이해할 수 없습니다.",
				     [CLOSED] = "줄이 닫혔습니다.",
				     [BUSY] = "지금 붐빕니다. 잃은 것은 없으니 다시 시도하세요."},
		},
};

/* Languages ------------------------------------------------------------------------------------ */

/* The weight in thousandths of a range's parameters, ";q=0.8" (RFC 9110 section 12.4.2); 0 when it
 * is none. */
static int read_weight(const char *text, size_t length)
{
	const char *q = memchr(text, '=', length);
	int value, unit = Q_WHOLE;

	if (q == NULL)
		return Q_WHOLE;
	value = 0;
	for (q++; q < text + length && unit > 0; q++) {
		if (*q >= '0' && *q <= '9') {
			value += (*q - '0') * unit;
			unit /= 10;
		} else if (*q != '.') {
			break;
		}
	}
	return value <= Q_WHOLE ? value : 0;
}

static bool range_is(const char *range, size_t length, const char *code)
{
	size_t size = strlen(code);

	return length >= size && strncasecmp(range, code, size) == 0 &&
	       (length == size || strchr("-; \t", range[size]) != NULL);
}

enum plain_language plain_page_language(const char *accept)
{
	enum plain_language best = PLAIN_ENGLISH;
	int best_weight = 0;

	while (accept != NULL && *accept != '\0') {
		size_t length;

		accept += strspn(accept, ", \t");
		length = strcspn(accept, ",");
		for (int i = 0; i < PLAIN_LANGUAGES; i++) {
			int weight = read_weight(accept, length);

			if (weight > best_weight && range_is(accept, length, languages[i].code)) {
				best = (enum plain_language)i;
				best_weight = weight;
			}
		}
		accept += length;
	}
	return best;
}

/* Pieces --------------------------------------------------------------------------------------- */

void plain_page_escape(const char *text, struct text *out)
{
	for (; *text != '\0'; text++) {
		switch (*text) {
		case '&':
			text_puts(out, "&amp;");
			break;
		case '<':
			text_puts(out, "&lt;");
			break;
		case '>':
			text_puts(out, "&gt;");
			break;
		case '"':
			text_puts(out, "&quot;");
			break;
		case '\'':
			text_puts(out, "&#39;");
			break;
		default:
			text_putc(out, *text);
		}
	}
}

/* refresh_s: 0 for never. */
static void page_open(const struct words *words, int refresh_s, const char *title, struct text *out)
{
	text_printf(out,
		    "<!doctype html>\n<html lang=\"%s\">\n<head>\n<meta charset=\"utf-8\">\n"
		    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n",
		    words->code);
	if (refresh_s > 0)
		text_printf(out, "<meta http-equiv=\"refresh\" content=\"%d\">\n", refresh_s);
	text_printf(out,
		    "<title>%s</title>\n<link rel=\"stylesheet\" href=\"/plain.css\">\n</head>\n"
		    "<body>\n<main>\n<h1>%s</h1>\n",
		    title, title);
}

static void page_close(struct text *out)
{
	text_puts(out, "</main>\n</body>\n</html>\n");
}

static void paragraph(const char *words, struct text *out)
{
	text_puts(out, "<p>");
	plain_page_escape(words, out);
	text_puts(out, "</p>\n");
}

static void fact_number(const char *name, int64_t value, struct text *out)
{
	text_printf(out, "<dt>%s</dt><dd>%lld</dd>\n", name, (long long)value);
}

static void fact_time(const char *name, int64_t time_us, struct text *out)
{
	char time[TIME_TEXT_SIZE];

	if (time_us == 0)
		return;
	time_format(time_us, time);
	text_printf(out, "<dt>%s</dt><dd>%.10s %.8s UTC</dd>\n", name, time, time + 11);
}

static void form_field(const char *attributes, const char *value, struct text *out)
{
	text_printf(out, "<input %s value=\"", attributes);
	plain_page_escape(value, out);
	text_puts(out, "\">\n");
}

static void join_form(const struct words *words, const char *button, const char *name,
		      struct text *out)
{
	text_printf(out,
		    "<form method=\"post\" action=\"/join\">\n<label for=\"name\">%s</label>\n",
		    words->name);
	form_field("id=\"name\" name=\"name\" required maxlength=\"100\" autocomplete=\"name\"",
		   name, out);
	text_printf(out, "<button>%s</button>\n</form>\n", button);
}

/* Under the same key the place that may have been given already is given again. */
static void again_form(const struct words *words, const struct plain_form *form, struct text *out)
{
	text_puts(out, "<form method=\"post\" action=\"/join\">\n");
	form_field("type=\"hidden\" name=\"name\"", form->name, out);
	form_field("type=\"hidden\" name=\"key\"", form->key, out);
	text_printf(out, "<button>%s</button>\n</form>\n", words->again);
}

/* Pages ---------------------------------------------------------------------------------------- */

static const char *title_of(const struct words *words, const struct place *place)
{
	if (place->active)
		return words->admitted;
	return place->position > 0 ? words->waiting : words->in_draw;
}

static void place_facts(const struct words *words, const struct place *place, struct text *out)
{
	text_puts(out, "<dl>\n");
	if (place->active) {
		fact_time(words->until, place->expires_us, out);
	} else if (place->position > 0) {
		fact_number(words->place, place->position, out);
		fact_number(words->ahead, place->position - 1, out);
		if (place->eta_known)
			text_printf(out, "<dt>%s</dt><dd>%lld %s</dd>\n", words->eta,
				    (long long)(place->eta_s + 59) / 60, words->minutes);
		else
			text_printf(out, "<dt>%s</dt><dd>%s</dd>\n", words->eta,
				    words->eta_unknown);
	} else {
		fact_time(words->opens, place->opens_us, out);
	}
	text_puts(out, "</dl>\n");
}

static void place_news(const struct words *words, const struct place *place, struct text *out)
{
	if (place->gate == POLICY_PAUSED)
		paragraph(words->paused, out);
	if (place->gate == POLICY_CLOSED)
		paragraph(words->closed, out);
	if (place->sale.state == SALE_ALL_HELD)
		paragraph(words->all_held, out);
	if (place->sale.state == SALE_SOLD_OUT)
		paragraph(words->sold_out, out);
	if (place->message[0] != '\0')
		paragraph(place->message, out);
}

void plain_page_place(enum plain_language language, const struct place *place, const char *token,
		      struct text *out)
{
	const struct words *words = &languages[language];

	page_open(words, place_retry_after_s(place), title_of(words, place), out);
	place_facts(words, place, out);
	place_news(words, place, out);
	if (place->active) {
		paragraph(words->go_on, out);
		text_printf(out, "<p>%s: <code id=\"token\">", words->token);
		plain_page_escape(token, out);
		text_puts(out, "</code></p>\n");
	} else {
		paragraph(words->keep_open, out);
	}
	page_close(out);
}

static enum trouble trouble_of(enum err err)
{
	switch (err) {
	case ERR_TOKEN_MISSING:
	case ERR_TOKEN_INVALID:
	case ERR_TOKEN_EXPIRED:
	case ERR_TOKEN_FINISHED:
	case ERR_TOKEN_LEFT:
	case ERR_UNKNOWN_USER:
		return NO_PLACE;
	case ERR_BAD_FIELD:
		return BAD_NAME;
	case ERR_CLOSED:
		return CLOSED;
	default:
		return err_class_of(err) == ERR_CLASS_CLIENT ? NOT_UNDERSTOOD : BUSY;
	}
}

void plain_page_failure(enum plain_language language, enum err err, const struct plain_form *form,
			struct text *out)
{
	const struct words *words = &languages[language];
	enum trouble trouble = trouble_of(err);
	bool may_have_joined = trouble == BUSY && form->name != NULL && form->key != NULL;

	/* A page that was sent a form must not renew itself: a browser would ask for it anew
	 * without the form. */
	page_open(words, trouble == BUSY && !may_have_joined ? BUSY_REFRESH_S : 0,
		  words->troubles[trouble], out);
	if (may_have_joined)
		again_form(words, form, out);
	else if (trouble != CLOSED)
		join_form(words, words->join, form->name != NULL ? form->name : "", out);
	page_close(out);
}
