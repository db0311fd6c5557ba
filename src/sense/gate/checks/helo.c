/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * helo - does the client greet with what is ours: a name, an address, the token of a callback?
 *
 * The token is a loop at any rate, whatever the policy says about the rest.
 */
#include "base/text.h"
#include "sense/gate/callback.h"
#include "sense/gate/check.h"
#include "sense/gate/ours.h"
#include "wire/dns.h"

static void found_loop(struct visit *v)
{
    static const char why[] = "it greets with the token of our own callback";
    struct event ev = event_new(EV_GATE_LOOP_FOUND);

    event_add_words(&ev, F_WHY, why);
    event_add_words(&ev, F_HELO, v->helo);
    if (v->means->tell)
        v->means->tell(v->means->ctx, &ev, v);
    v->found[CHECK_SELF] = FOUND_HIT;
    visit_found(v, CHECK_HELO, FOUND_HIT, "%s", why);
}

/* RFC 5321 section 4.1.3: [192.0.2.1], [IPv6:2001:db8::1]; many leave out the brackets or the word. */
static bool read_literal(struct slice helo, struct addr *a, bool *bare)
{
    struct slice inside = helo;

    *bare = helo.len < 2 || helo.at[0] != '[' || helo.at[helo.len - 1] != ']';
    if (!*bare)
        inside = slice_of(helo.at + 1, helo.len - 2);
    if (!*bare && slice_starts_nocase(inside, SLICE("IPv6:")))
        inside = slice_skip(inside, 5);
    return addr_read(inside, a);
}

static bool is_host_name(struct slice name)
{
    if (!dns_name_is_sound(name))
        return false;
    for (size_t i = 0; i < name.len; i++) {
        uint8_t c = name.at[i];

        if (!(c >= '0' && c <= '9') && !((c | 0x20) >= 'a' && (c | 0x20) <= 'z') && c != '-' && c != '.' && c != '_')
            return false;
    }
    return true;
}

static void helo_start(struct visit *v)
{
    struct slice helo = slice_text(v->helo);
    bool outside = visit_is_outside(v);
    struct addr literal;
    bool bare;

    if (v->means->callback && callback_is_ours(v->means->callback, helo))
        found_loop(v);
    else if (outside && ours_name(v->means, helo))
        visit_found(v, CHECK_HELO, FOUND_HIT, "it greets with our own name, %s", v->helo);
    else if (!read_literal(helo, &literal, &bare))
        visit_found(v, CHECK_HELO, FOUND_NOTHING, "%s%s", is_host_name(helo) ? "" : "no host name: ",
                    is_host_name(helo) ? ""
                    : v->helo          ? v->helo
                                       : "nothing");
    else if (outside && ours_addr(v->means, literal))
        visit_found(v, CHECK_HELO, FOUND_HIT, "it greets with our own address, %s", v->helo);
    else if (bare)
        visit_found(v, CHECK_HELO, FOUND_NOTHING, "an address without brackets: %s", v->helo);
    else if (!addr_eq_ip(literal, v->peer))
        visit_found(v, CHECK_HELO, FOUND_NOTHING, "greets with another address: %s", v->helo);
    else
        visit_found(v, CHECK_HELO, FOUND_NOTHING, "%s", "");
}

const struct check check_helo = {
    .name = "helo",
    .starts = STAGE_HELO,
    .due = STAGE_HELO,
    .facts = true,
    .start = helo_start,
};
