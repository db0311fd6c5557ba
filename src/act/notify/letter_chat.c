/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The JSON of Slack, and of Alertmanager: alerts as they are posted to it, and as it posts them to others. */
#include "act/notify/letter.h"
#include "act/notify/letter_inner.h"

/* Slack takes & < > for its markup. */
static void slack_line(struct text *t, const char *words)
{
    for (; *words; words++)
        if (*words == '&')
            text_word(t, "&amp;");
        else if (*words == '<')
            text_word(t, "&lt;");
        else if (*words == '>')
            text_word(t, "&gt;");
        else
            text_add(t, slice_of(words, 1));
}

void letter_slack(const struct letter *l, struct text *t)
{
    char words[LETTER_LINE];
    char lines[16 * LETTER_LINE];
    struct text all = TEXT_IN(lines);
    struct text head = TEXT_IN(words);

    text_addf(&head, "[%s] ", l->host);
    letter_head(l, &head);
    slack_line(&all, words);
    for (size_t i = 1; i < l->count; i++) {
        struct text one = TEXT_IN(words);

        letter_line(l, &l->at[i].notice, &one);
        text_word(&all, "\n");
        slack_line(&all, words);
    }
    text_word(t, "{\"text\":\"");
    for (struct slice rest = slice_of(lines, all.len); rest.len > 0;) {
        struct slice line = slice_until(rest, '\n', &rest);

        text_json(t, line);
        text_word(t, rest.len > 0 ? "\\n" : "");
    }
    text_word(t, "\"}\n");
}

/* Alertmanager forgets an alert after five minutes unless it is told until when it stands; RFC 3339 times. */
static void alert_times(const struct letter *l, const struct notice *n, struct text *t)
{
    text_word(t, "\"startsAt\":\"");
    text_time(t, n->began_us, 3);
    text_word(t, "\",\"endsAt\":\"");
    text_time(t,
              n->stage == NOTICE_OVER ? n->ev.at_us
              : n->has_end            ? l->now_us + l->set->keep_us
                                      : l->now_us + l->set->window_us,
              3);
    text_word(t, "\"");
}

/* What makes it the same alert when it is over: all but the sentence; the first event tells two of a name apart. */
static void alert(const struct letter *l, const struct notice *n, bool hook, struct text *t)
{
    struct slice name = { 0 };

    text_word(t, "{");
    if (hook)
        text_addf(t, "\"status\":\"%s\",\"fingerprint\":\"%016llx\",", n->stage == NOTICE_OVER ? "resolved" : "firing",
                  (unsigned long long)n->first);
    text_addf(t, "\"labels\":{\"alertname\":\"serviola\",\"severity\":\"%s\",\"incident\":\"%llu\",\"instance\":",
              n->grade == GRADE_WARN ? "warning" : "critical", (unsigned long long)n->first);
    letter_string(t, l->host);
    text_word(t, "},\"annotations\":{\"summary\":");
    letter_sentence(l, n, t);
    if (event_get(&n->ev, F_NAME, &name)) {
        text_word(t, ",\"name\":\"");
        text_json(t, name);
        text_word(t, "\"");
    }
    text_addf(t, ",\"event\":\"%s\",\"journal\":\"%s\",\"why\":\"serviola why %llu\"},",
              event_name((enum event_kind)n->ev.kind), l->frozen_us > 0 ? "frozen" : "fine",
              (unsigned long long)n->first);
    alert_times(l, n, t);
    text_word(t, ",\"generatorURL\":\"\"}");
}

static void alerts(const struct letter *l, bool hook, struct text *t)
{
    text_word(t, "[");
    for (size_t i = 0; i < l->count; i++) {
        text_word(t, i ? "," : "");
        alert(l, &l->at[i].notice, hook, t);
    }
    text_word(t, "]");
}

void letter_alerts(const struct letter *l, struct text *t)
{
    alerts(l, false, t);
}

void letter_alerts_hook(const struct letter *l, struct text *t)
{
    bool firing = false;
    char key[LETTER_KEY];

    for (size_t i = 0; i < l->count; i++)
        firing = firing || l->at[i].notice.stage != NOTICE_OVER;
    letter_key(l, key);
    text_addf(t, "{\"version\":\"4\",\"groupKey\":\"%s\",\"truncatedAlerts\":%llu,\"status\":\"%s\",\"receiver\":", key,
              (unsigned long long)l->more, firing ? "firing" : "resolved");
    letter_string(t, l->way->name);
    text_word(
        t, ",\"groupLabels\":{\"alertname\":\"serviola\"},\"commonLabels\":{\"alertname\":\"serviola\",\"instance\":");
    letter_string(t, l->host);
    text_word(t, "},\"commonAnnotations\":{},\"externalURL\":\"\",\"alerts\":");
    alerts(l, true, t);
    text_word(t, "}\n");
}
