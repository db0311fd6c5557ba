/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "act/notify/letter.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/words.h"
#include "act/notify/letter_inner.h"

enum { SECOND_US = 1000000 };

static const char *stage_name(unsigned stage)
{
    static const char *const names[] = { "", "began", "again", "still", "over" };

    return stage <= NOTICE_OVER ? names[stage] : "";
}

void letter_key(const struct letter *l, char key[LETTER_KEY])
{
    const struct notice *first = &l->at[0].notice;
    const struct notice *last = &l->at[l->count - 1].notice;
    struct text t = text_in(key, LETTER_KEY);

    for (const char *c = l->host; *c && t.len < 64; c++)
        text_addf(&t, "%c",
                  (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9') || *c == '.' ? *c
                                                                                                                : '-');
    text_addf(&t, "-%llu-%s-%llu-%s", (unsigned long long)first->id, stage_name(first->stage),
              (unsigned long long)last->id, stage_name(last->stage));
}

static void span(struct text *t, int64_t us)
{
    text_duration(t, us >= SECOND_US ? us / SECOND_US * SECOND_US : us);
}

/* What a notice says, without grade and number. */
static void sentence(const struct letter *l, const struct notice *n, struct text *t)
{
    char long_words[48];
    struct text w = TEXT_IN(long_words);
    uint64_t known;

    span(&w, n->span_us);
    if (n->stage == NOTICE_MORE)
        text_addf(t, words_many("%llu time more in %s: ", "%llu times more in %s: ", n->count),
                  (unsigned long long)n->count, long_words);
    if (n->stage == NOTICE_STILL)
        text_addf(t, _("nobody has answered for %s: "), long_words);
    if (n->unseen)
        text_word(t, _("not found any more since serviola was started anew: "));
    l->tell(t, &n->ev, NULL, l->now_us);
    if (n->stage == NOTICE_OVER && !n->unseen && !event_get_number(&n->ev, F_SPAN, &known))
        text_addf(t, _(" (it lasted %s)"), long_words);
    if (n->stage == NOTICE_MORE && n->has_end && n->lasts)
        text_word(t, _("; it lasts"));
}

/* One line, whatever the sentence holds. */
static void add_sentence(const struct letter *l, const struct notice *n, struct text *t)
{
    char words[LETTER_LINE];
    struct text s = TEXT_IN(words);

    sentence(l, n, &s);
    for (size_t i = 0; i < s.len; i++)
        if ((uint8_t)words[i] < ' ' || words[i] == 0x7f)
            words[i] = '?';
    text_add(t, slice_of(words, s.len));
}

static const char *grade_word(const struct notice *n)
{
    if (n->stage == NOTICE_OVER)
        return _("over");
    return n->grade == GRADE_ALARM ? _("alarm") : _("warning");
}

void letter_line(const struct letter *l, const struct notice *n, struct text *t)
{
    text_addf(t, "%s: ", grade_word(n));
    add_sentence(l, n, t);
}

static void frozen(const struct letter *l, struct text *t)
{
    char words[48];
    struct text w = TEXT_IN(words);

    if (l->frozen_us <= 0)
        return;
    text_duration(&w, l->frozen_us);
    text_addf(t, _("the disk of the journal has not answered for %s; "), words);
}

void letter_head(const struct letter *l, struct text *t)
{
    frozen(l, t);
    letter_line(l, &l->at[0].notice, t);
    if (l->count + l->more > 1)
        text_addf(t, words_many("; and %llu more", "; and %llu more", l->count + l->more - 1),
                  (unsigned long long)(l->count + l->more - 1));
}

/* ---- for people ---- */

static void add_time(struct text *t, int64_t at_us)
{
    char words[40];
    struct text w = TEXT_IN(words);

    text_time(&w, at_us, 0);
    text_word(t, words);
}

static void line_end(struct text *t)
{
    text_word(t, "\r\n");
}

static void body(const struct letter *l, struct text *t)
{
    if (l->frozen_us > 0) {
        frozen(l, t);
        text_word(t, _("what happens is kept in memory, and told all the same."));
        line_end(t);
        line_end(t);
    }
    for (size_t i = 0; i < l->count; i++) {
        const struct notice *n = &l->at[i].notice;

        letter_line(l, n, t);
        line_end(t);
        text_word(t, "    ");
        add_time(t, n->ev.at_us);
        text_addf(t, "   serviola why %llu", (unsigned long long)n->first);
        line_end(t);
    }
    if (l->more > 0) {
        text_addf(t, words_many("%llu more notice waits, and follows.", "%llu more notices wait, and follow.", l->more),
                  (unsigned long long)l->more);
        line_end(t);
    }
    if (l->lost > 0) {
        text_addf(t,
                  words_many("%llu notice was given up before; serviola events has what it told.",
                             "%llu notices were given up before; serviola events has what they told.", l->lost),
                  (unsigned long long)l->lost);
        line_end(t);
    }
}

/* A header's text in pieces of RFC 2047, none cut inside a character. */
static void encoded_words(struct text *t, struct slice s)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    bool plain = true;

    for (size_t i = 0; i < s.len; i++)
        plain = plain && s.at[i] >= ' ' && s.at[i] < 0x7f;
    if (plain && s.len < 900 && !memmem(s.at, s.len, "=?", 2)) {
        text_add(t, s);
        return;
    }
    while (s.len > 0) {
        size_t n = s.len < 42 ? s.len : 42;

        while (n > 1 && n < s.len && (s.at[n] & 0xc0) == 0x80)
            n--;
        text_word(t, "=?UTF-8?B?");
        for (size_t i = 0; i < n; i += 3) {
            uint32_t v =
                (uint32_t)s.at[i] << 16 | (i + 1 < n ? (uint32_t)s.at[i + 1] << 8 : 0) | (i + 2 < n ? s.at[i + 2] : 0);

            text_addf(t, "%c%c%c%c", digits[v >> 18], digits[v >> 12 & 63], i + 1 < n ? digits[v >> 6 & 63] : '=',
                      i + 2 < n ? digits[v & 63] : '=');
        }
        s = slice_skip(s, n);
        text_word(t, s.len > 0 ? "?=\r\n " : "?=");
    }
}

void letter_mail(const struct letter *l, const char *from, struct text *t)
{
    char words[LETTER_LINE];
    char key[LETTER_KEY];
    char date[64];
    struct text subject = TEXT_IN(words);
    time_t now = (time_t)(l->now_us / SECOND_US);
    struct tm tm;
    static const char *const days[] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
    static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };

    letter_key(l, key);
    text_addf(&subject, "[%s] ", l->host);
    letter_head(l, &subject);
    (void)gmtime_r(&now, &tm);
    (void)snprintf(date, sizeof(date), "%s, %d %s %d %02d:%02d:%02d +0000", days[tm.tm_wday], tm.tm_mday,
                   months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
    text_addf(t, "Date: %s\r\nFrom: serviola <%s>\r\nTo: %s\r\nMessage-ID: <%s@%s>\r\nSubject: ", date, from,
              l->way->to, key, l->host);
    encoded_words(t, slice_of(words, subject.len));
    text_word(t,
              "\r\nAuto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
              "Content-Transfer-Encoding: 8bit\r\n\r\n");
    body(l, t);
    text_addf(t, "\r\n-- \r\nserviola, %s\r\n", l->host);
}

void letter_syslog(const struct letter *l, const struct notice *n, struct text *t)
{
    enum { DAEMON = 3 << 3, CRITICAL = 2, WARNING = 4, NOTICE = 5 };
    unsigned severity = n->stage == NOTICE_OVER ? NOTICE : n->grade == GRADE_ALARM ? CRITICAL : WARNING;

    text_addf(t, "<%u>1 ", DAEMON | severity);
    text_time(t, l->now_us, 6);
    text_addf(t, " %s serviola - %s - \xEF\xBB\xBF", l->host, event_name((enum event_kind)n->ev.kind));
    frozen(l, t);
    letter_line(l, n, t);
}

/* ---- for programs ---- */

void letter_string(struct text *t, const char *words)
{
    text_word(t, "\"");
    text_json(t, slice_text(words));
    text_word(t, "\"");
}

void letter_sentence(const struct letter *l, const struct notice *n, struct text *t)
{
    char words[LETTER_LINE];
    struct text w = TEXT_IN(words);

    add_sentence(l, n, &w);
    letter_string(t, words);
}

static void json_notice(const struct letter *l, const struct notice *n, struct text *t)
{
    struct slice name;

    text_addf(t, "{\"id\":\"%llu-%s\",\"stage\":\"%s\",\"grade\":\"%s\",\"event\":\"%s\",\"seq\":%llu,",
              (unsigned long long)n->id, stage_name(n->stage), stage_name(n->stage), grade_name((enum grade)n->grade),
              event_name((enum event_kind)n->ev.kind), (unsigned long long)n->ev.seq);
    if (event_get(&n->ev, F_NAME, &name)) {
        text_word(t, "\"name\":\"");
        text_json(t, name);
        text_word(t, "\",");
    }
    text_word(t, "\"text\":");
    letter_sentence(l, n, t);
    text_word(t, ",\"at\":\"");
    text_time(t, n->ev.at_us, 3);
    text_word(t, "\",\"since\":\"");
    text_time(t, n->began_us, 3);
    text_addf(t, "\",\"count\":%llu,\"first\":%llu}", (unsigned long long)(n->stage == NOTICE_MORE ? n->count : 1),
              (unsigned long long)n->first);
}

void letter_json(const struct letter *l, struct text *t)
{
    char words[LETTER_LINE];
    char key[LETTER_KEY];
    struct text head = TEXT_IN(words);

    letter_key(l, key);
    letter_head(l, &head);
    text_addf(t, "{\"version\":1,\"key\":\"%s\",\"host\":", key);
    letter_string(t, l->host);
    text_word(t, ",\"text\":");
    letter_string(t, words);
    text_addf(t, ",\"journal\":\"%s\",\"more\":%llu,\"lost\":%llu,\"notices\":[", l->frozen_us > 0 ? "frozen" : "fine",
              (unsigned long long)l->more, (unsigned long long)l->lost);
    for (size_t i = 0; i < l->count; i++) {
        text_word(t, i ? "," : "");
        json_notice(l, &l->at[i].notice, t);
    }
    text_word(t, "]}\n");
}
