/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rule/account.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/table.h"

#define HOUR 3600000000LL
enum {
    OWN_NETS = 64,
    SEEN_BITS = 2048,      /* what is counted without being kept */
    LEARNING_NETWORKS = 3, /* in the first day nobody has a past: then only many networks, */
    LEARNING_BOUNCES = 20, /* or so many per cent of refused recipients, are suspect */
    STRAY = 50,            /* an address with so much less than the others is the owner's */
    MASS_RECIPIENTS = 5,   /* a message to more recipients weighs as several */
    FOREIGN_COUNTRIES = 2, /* nobody is in so many at once: then the half is enough */
    FORMAT = 2,            /* of what accounts_save writes */
};

const struct account_limits account_usual = {
    .accounts = 20000, .messages = 100, .factor = 3, .quiet_us = HOUR / 2, .settled_us = 24 * HOUR
};

struct network {
    struct addr net; /* /24 or /48; family 0: a free place */
    int64_t first_us, last_us;
    bool of_episode;
};

/* About how many different things, without keeping them. */
struct seen {
    uint64_t bit[SEEN_BITS / 64];
    uint32_t count;
};

struct episode {
    struct account_report sum; /* account and source are set when it is told */
    struct seen sources, networks;
    struct addr source[ACCOUNT_SOURCES];
    uint32_t of_source[ACCOUNT_SOURCES]; /* messages */
    uint64_t others;                     /* messages from known networks meanwhile */
    bool suspected;
};

struct account {
    struct episode *now;         /* owned; NULL: none */
    int64_t hour;                /* number of the one that is counted */
    uint32_t in_hour;            /* messages in it */
    uint32_t busiest;            /* of the hours before, without those of a suspected episode */
    uint16_t home;               /* country of its first network; 0: not known */
    uint16_t week[ACCOUNT_WEEK]; /* of an earlier week in this hour of the week */
    struct network net[ACCOUNT_NETWORKS];
    uint8_t len;
    char name[ACCOUNT_NAME];
};

struct accounts {
    struct account_limits limits;
    uint64_t seed;
    struct table *all; /* hash of the name in small letters -> struct account */
    account_found *found;
    void *own;
    account_country *country; /* NULL: networks alone */
    void *country_own;
    struct prefix nets[OWN_NETS];
    size_t nets_count;
    size_t suspected;
    int64_t began_us; /* the first message ever; 0: none yet */
    /* Whoever changes is the newest in `all`: this one and all that are newer are not saved yet.  NULL: none. */
    struct account *unsaved;
};

struct accounts *accounts_new(const struct account_limits *l, uint64_t seed, account_found *found, void *own,
                              struct err *e)
{
    struct accounts *a = calloc(1, sizeof(*a));

    if (!a) {
        (void)err_set(e, ENOMEM, "accounts");
        return NULL;
    }
    a->limits = *l;
    a->seed = seed;
    a->found = found;
    a->own = own;
    a->all = table_new(l->accounts, sizeof(uint64_t), sizeof(struct account), seed, e);
    if (!a->all) {
        free(a);
        return NULL;
    }
    return a;
}

static void forget_all(struct accounts *a)
{
    for (struct account *k = table_oldest(a->all); k; k = table_newer(a->all, k))
        free(k->now);
    table_clear(a->all);
    a->unsaved = NULL;
    a->suspected = 0;
}

void accounts_free(struct accounts *a)
{
    if (!a)
        return;
    forget_all(a);
    table_free(a->all);
    free(a);
}

int accounts_own(struct accounts *a, struct prefix net, struct err *e)
{
    if (a->nets_count == OWN_NETS)
        return err_set(e, 0, "more than %d networks of our own", OWN_NETS);
    a->nets[a->nets_count++] = net;
    return 0;
}

void accounts_countries(struct accounts *a, account_country *of, void *own)
{
    a->country = of;
    a->country_own = own;
}

size_t accounts_count(const struct accounts *a)
{
    return table_count(a->all);
}

size_t accounts_suspected_count(const struct accounts *a)
{
    return a->suspected;
}

static uint64_t key_of(const struct accounts *a, struct slice name)
{
    uint8_t small[ACCOUNT_NAME];
    size_t n = name.len < sizeof(small) ? name.len : sizeof(small);

    for (size_t i = 0; i < n; i++)
        small[i] = name.at[i] >= 'A' && name.at[i] <= 'Z' ? name.at[i] | 0x20 : name.at[i];
    return hash_bytes(small, n, a->seed);
}

static struct account *find(struct accounts *a, struct slice name)
{
    uint64_t key = key_of(a, name);

    return table_find(a->all, &key);
}

/* The owner may have written too, meanwhile: a message or two beside hundreds of each other address. */
static void drop_strays(struct episode *n)
{
    uint32_t kept = 0;
    uint64_t least = n->sum.messages / n->sources.count / STRAY;

    if (n->sources.count > ACCOUNT_SOURCES)
        return;
    for (uint32_t i = 0; i < n->sources.count; i++) {
        if (n->of_source[i] <= least) {
            n->sum.messages -= n->of_source[i];
            continue;
        }
        n->source[kept] = n->source[i];
        n->of_source[kept++] = n->of_source[i];
    }
    n->sources.count = kept;
}

/* Countries of the episode that are not the account's own. */
static uint32_t foreign(const struct account *k)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < k->now->sum.countries; i++)
        count += k->now->sum.country[i] != k->home;
    return count;
}

static void report(struct accounts *a, struct account *k, bool over)
{
    struct episode *n = k->now;
    struct account_report *r = &n->sum;
    uint64_t weight = r->messages > r->recipients / MASS_RECIPIENTS ? r->messages : r->recipients / MASS_RECIPIENTS;
    uint64_t outcomes = r->sent + r->deferred + r->bounced;

    r->account = slice_of(k->name, k->len);
    r->source = n->source;
    r->sources = n->sources.count;
    r->source_count = r->sources < ACCOUNT_SOURCES ? r->sources : ACCOUNT_SOURCES;
    r->networks = n->networks.count;
    r->usual = k->busiest;
    r->home = k->home;
    weight = weight * (9 + (r->networks < 11 ? r->networks : 11)) / 10;
    weight += weight * foreign(k) / 4;
    weight += outcomes > 0 ? 2 * weight * r->bounced / outcomes : 0;
    weight = weight * r->messages / (r->messages + n->others);
    weight /= 1 + k->busiest / 20;
    r->score = weight < UINT32_MAX ? (uint32_t)weight : UINT32_MAX;
    r->over = over;
    a->found(a->own, r);
}

static void end_episode(struct accounts *a, struct account *k)
{
    if (k->now->suspected) {
        drop_strays(k->now);
        report(a, k, true);
    }
    for (size_t i = 0; i < ACCOUNT_NETWORKS; i++) {
        if (k->net[i].of_episode && k->now->suspected)
            memset(&k->net[i], 0, sizeof(k->net[i])); /* a thief's network never becomes a known one */
        k->net[i].of_episode = false;
    }
    a->suspected -= k->now->suspected;
    free(k->now);
    k->now = NULL;
}

static void leaves(void *ctx, const void *key, void *value)
{
    struct accounts *a = ctx;
    struct account *k = value;

    (void)key;
    if (k == a->unsaved)
        a->unsaved = table_newer(a->all, k);
    if (k->now)
        end_episode(a, k);
}

/* It becomes the newest, and is to be saved.  Before it does: where it stood, the next one begins what is unsaved. */
static void will_change(struct accounts *a, struct account *k)
{
    if (k == a->unsaved)
        a->unsaved = table_newer(a->all, k);
    table_touch(a->all, k);
    if (!a->unsaved)
        a->unsaved = k;
}

/* The hour that is counted is over, or it is not. */
static void turn_hour(struct account *k, int64_t now_us)
{
    int64_t hour = now_us / HOUR;
    uint16_t *week = &k->week[(uint64_t)k->hour % ACCOUNT_WEEK];
    uint32_t count = k->in_hour < UINT16_MAX ? k->in_hour : UINT16_MAX;

    if (hour <= k->hour)
        return;
    if (k->in_hour > 0 && !(k->now && k->now->suspected)) {
        k->busiest = k->in_hour > k->busiest ? k->in_hour : k->busiest;
        *week = (uint16_t)(count > *week / 2u ? count : *week / 2u);
    }
    k->hour = hour;
    k->in_hour = 0;
}

static struct account *find_or_add(struct accounts *a, struct slice name, int64_t now_us)
{
    uint64_t key = key_of(a, name);
    struct account *k = table_find(a->all, &key);
    bool fresh = false;

    if (k)
        will_change(a, k);
    else
        k = table_add(a->all, &key, &fresh, leaves, a);
    if (fresh) {
        a->unsaved = a->unsaved ? a->unsaved : k;
        name = slice_first(name, ACCOUNT_NAME);
        k->len = (uint8_t)name.len;
        if (name.len > 0)
            memcpy(k->name, name.at, name.len);
        k->hour = now_us / HOUR;
    }
    turn_hour(k, now_us);
    return k;
}

static bool is_own(const struct accounts *a, struct addr client)
{
    if (client.family == 0 || addr_is_loopback(client) || addr_is_private(client) || addr_is_link_local(client))
        return true;
    for (size_t i = 0; i < a->nets_count; i++)
        if (prefix_has(a->nets[i], client))
            return true;
    return false;
}

/* True: this network is new for the account.  What was seen long enough ago, and belongs to no episode, is known. */
static bool is_new(struct accounts *a, struct account *k, struct addr net, int64_t now_us, struct network **place)
{
    struct network *oldest = &k->net[0];

    for (size_t i = 0; i < ACCOUNT_NETWORKS; i++) {
        struct network *n = &k->net[i];

        if (n->net.family != 0 && addr_eq_ip(n->net, net)) {
            n->last_us = now_us;
            *place = n;
            return n->of_episode || now_us - n->first_us < a->limits.settled_us;
        }
        if (n->net.family == 0 || (oldest->net.family != 0 && n->last_us < oldest->last_us))
            oldest = n;
    }
    *oldest = (struct network){ .net = net, .first_us = now_us, .last_us = now_us };
    *place = oldest;
    return true;
}

static bool see(struct seen *s, uint64_t hash)
{
    uint64_t bit = hash % SEEN_BITS;
    bool fresh = !(s->bit[bit / 64] >> (bit % 64) & 1);

    s->bit[bit / 64] |= 1ull << (bit % 64);
    s->count += fresh;
    return fresh;
}

static bool has_recurred(const struct account *k, int64_t now_us)
{
    uint64_t hour = (uint64_t)(now_us / HOUR) % ACCOUNT_WEEK;
    uint32_t before = k->week[hour];
    uint32_t near = k->week[(hour + ACCOUNT_WEEK - 1) % ACCOUNT_WEEK];

    return k->in_hour <= 2 * (before > near ? before : near);
}

static bool is_suspect(const struct accounts *a, const struct account *k, int64_t now_us)
{
    const struct account_report *r = &k->now->sum;
    uint64_t weight = r->messages > r->recipients / MASS_RECIPIENTS ? r->messages : r->recipients / MASS_RECIPIENTS;
    uint64_t outcomes = r->sent + r->deferred + r->bounced;
    uint64_t least = a->limits.messages;

    if (foreign(k) >= FOREIGN_COUNTRIES)
        least = (least + 1) / 2;
    if (weight < least || r->messages < k->now->others)
        return false;
    if (weight <= (uint64_t)k->busiest * a->limits.factor || has_recurred(k, now_us))
        return false;
    return now_us - a->began_us >= a->limits.settled_us || k->now->networks.count >= LEARNING_NETWORKS ||
           foreign(k) >= FOREIGN_COUNTRIES ||
           (outcomes >= a->limits.messages && r->bounced * 100 >= outcomes * LEARNING_BOUNCES);
}

static void note_country(struct account_report *r, uint16_t country)
{
    uint32_t i = 0;

    while (i < r->countries && r->country[i] != country)
        i++;
    if (country != 0 && i == r->countries && i < ACCOUNT_COUNTRIES)
        r->country[r->countries++] = country;
}

static void from_new_network(struct accounts *a, struct account *k, struct addr client, struct addr net,
                             uint16_t country, int64_t now_us)
{
    struct episode *n = k->now;
    uint32_t at = 0;

    if (!n) {
        n = k->now = calloc(1, sizeof(*n));
        if (!n)
            return;
        n->sum.from_us = now_us;
    }
    while (at < n->sources.count && at < ACCOUNT_SOURCES && !addr_eq_ip(n->source[at], client))
        at++;
    if (at < ACCOUNT_SOURCES) { /* few enough to be counted one by one */
        n->source[at] = client;
        n->of_source[at]++;
        n->sources.count += at == n->sources.count;
    } else
        (void)see(&n->sources, addr_hash(client, a->seed));
    (void)see(&n->networks, addr_hash(net, a->seed));
    note_country(&n->sum, country);
    n->sum.messages++;
    n->sum.last_us = now_us;
}

static void suspect(struct accounts *a, struct account *k, int64_t now_us)
{
    if (!k->now || k->now->suspected || !is_suspect(a, k, now_us))
        return;
    k->now->suspected = true;
    a->suspected++;
    will_change(a, k); /* what is kept of it is less now */
    report(a, k, false);
}

void accounts_message(struct accounts *a, struct slice account, struct addr client, uint32_t recipients, int64_t now_us)
{
    struct account *k = find_or_add(a, account, now_us);
    struct network *place;
    struct addr net;
    uint16_t country;

    client = addr_ip(client);
    if (k->now && now_us - k->now->sum.last_us >= a->limits.quiet_us)
        end_episode(a, k);
    if (a->began_us == 0)
        a->began_us = now_us;
    k->in_hour++;
    if (is_own(a, client)) {
        if (k->now)
            k->now->others++;
        return;
    }
    net = prefix_of(client, client.family == 4 ? 24 : 48).net;
    country = a->country ? a->country(a->country_own, client) : 0;
    k->home = k->home == 0 ? country : k->home;
    if (is_new(a, k, net, now_us, &place)) {
        from_new_network(a, k, client, net, country, now_us);
        place->of_episode = k->now != NULL;
    } else if (k->now)
        k->now->others++;
    if (k->now)
        k->now->sum.recipients += recipients;
    suspect(a, k, now_us);
}

void accounts_recipients(struct accounts *a, struct slice account, uint32_t recipients, int64_t now_us)
{
    struct account *k = find(a, account);

    if (!k || !k->now)
        return;
    k->now->sum.recipients += recipients;
    suspect(a, k, now_us);
}

void accounts_outcome(struct accounts *a, struct slice account, enum account_outcome o, int64_t now_us)
{
    struct account *k = find(a, account);

    if (!k || !k->now)
        return;
    k->now->sum.sent += o == ACCOUNT_SENT;
    k->now->sum.deferred += o == ACCOUNT_DEFERRED;
    k->now->sum.bounced += o == ACCOUNT_BOUNCED;
    suspect(a, k, now_us);
}

bool accounts_at_home(struct accounts *a, struct slice account, struct addr client, int64_t now_us)
{
    struct account *k = find(a, account);

    client = addr_ip(client);
    if (is_own(a, client))
        return true;
    client = prefix_of(client, client.family == 4 ? 24 : 48).net;
    for (size_t i = 0; k && i < ACCOUNT_NETWORKS; i++)
        if (k->net[i].net.family != 0 && addr_eq_ip(k->net[i].net, client))
            return !k->net[i].of_episode && now_us - k->net[i].first_us >= a->limits.settled_us;
    return false;
}

bool accounts_suspected(struct accounts *a, struct slice account, int64_t now_us)
{
    struct account *k = find(a, account);

    return k && k->now && k->now->suspected && now_us - k->now->sum.last_us < a->limits.quiet_us;
}

void accounts_tick(struct accounts *a, int64_t now_us)
{
    for (struct account *k = table_oldest(a->all); k; k = table_newer(a->all, k))
        if (k->now && now_us - k->now->sum.last_us >= a->limits.quiet_us)
            end_episode(a, k);
}

void accounts_end(struct accounts *a, int64_t now_us)
{
    (void)now_us;
    for (struct account *k = table_oldest(a->all); k; k = table_newer(a->all, k))
        if (k->now)
            end_episode(a, k);
}

/* --- for the next start */

static void save_network(struct bytes_out *to, const struct network *n)
{
    bytes_put(to, n->net.family, 1);
    bytes_put_raw(to, n->net.ip, sizeof(n->net.ip));
    bytes_put(to, (uint64_t)n->first_us, 8);
    bytes_put(to, (uint64_t)n->last_us, 8);
}

/* A thief's network is not carried over: it would look known one day. */
static bool is_kept(const struct account *k, const struct network *n)
{
    return n->net.family != 0 && !(n->of_episode && k->now && k->now->suspected);
}

static void save_one(struct bytes_out *to, const struct account *k)
{
    size_t hours = 0;
    size_t nets = 0;

    for (size_t i = 0; i < ACCOUNT_WEEK; i++)
        hours += k->week[i] > 0;
    for (size_t i = 0; i < ACCOUNT_NETWORKS; i++)
        nets += is_kept(k, &k->net[i]);
    bytes_put_slice(to, slice_of(k->name, k->len));
    bytes_put(to, k->busiest, 4);
    bytes_put(to, k->home, 2);
    bytes_put(to, hours, 1);
    for (size_t i = 0; i < ACCOUNT_WEEK; i++) {
        if (k->week[i] == 0)
            continue;
        bytes_put(to, i, 1);
        bytes_put(to, k->week[i], 2);
    }
    bytes_put(to, nets, 1);
    for (size_t i = 0; i < ACCOUNT_NETWORKS; i++)
        if (is_kept(k, &k->net[i]))
            save_network(to, &k->net[i]);
}

void accounts_save(struct accounts *a, struct bytes_out *to)
{
    bytes_put(to, FORMAT, 1);
    bytes_put(to, (uint64_t)a->began_us, 8);
    bytes_put(to, table_count(a->all), 4);
    for (struct account *k = table_oldest(a->all); k; k = table_newer(a->all, k))
        save_one(to, k);
}

void accounts_save_some(struct accounts *a, struct bytes_out *to, size_t most)
{
    bytes_put(to, FORMAT, 1);
    bytes_put(to, (uint64_t)a->began_us, 8);
    for (; a->unsaved && most > 0; most--) {
        save_one(to, a->unsaved);
        a->unsaved = table_newer(a->all, a->unsaved);
    }
}

bool accounts_unsaved(const struct accounts *a)
{
    return a->unsaved;
}

void accounts_save_again(struct accounts *a)
{
    a->unsaved = table_oldest(a->all);
}

void accounts_saved(struct accounts *a)
{
    a->unsaved = NULL;
}

static void load_network(struct bytes_in *in, struct network *n)
{
    uint8_t family = (uint8_t)bytes_get(in, 1);
    uint8_t ip[16];

    for (size_t b = 0; b < sizeof(ip); b++)
        ip[b] = (uint8_t)bytes_get(in, 1);
    in->bad = in->bad || (family != 4 && family != 6);
    if (in->bad)
        return;
    n->net = prefix_of(addr_from_ip(family, ip, 0), family == 4 ? 24 : 48).net;
    n->first_us = (int64_t)bytes_get(in, 8);
    n->last_us = (int64_t)bytes_get(in, 8);
    in->bad = in->bad || n->first_us < 0 || n->first_us > n->last_us;
}

/* An account that is there already is as this says from now on. */
static void load_one(struct accounts *a, struct bytes_in *in)
{
    struct slice name = bytes_get_slice(in, ACCOUNT_NAME);
    struct account *k = in->bad ? NULL : find_or_add(a, name, 0);
    size_t count;

    if (!k)
        return;
    k->busiest = (uint32_t)bytes_get(in, 4);
    k->home = (uint16_t)bytes_get(in, 2);
    memset(k->week, 0, sizeof(k->week));
    count = bytes_get(in, 1);
    while (count-- > 0 && !in->bad) {
        size_t hour = bytes_get(in, 1);
        uint16_t value = (uint16_t)bytes_get(in, 2);

        in->bad = in->bad || hour >= ACCOUNT_WEEK;
        if (!in->bad)
            k->week[hour] = value;
    }
    memset(k->net, 0, sizeof(k->net));
    count = bytes_get(in, 1);
    in->bad = in->bad || count > ACCOUNT_NETWORKS;
    for (size_t i = 0; i < count && !in->bad; i++)
        load_network(in, &k->net[i]);
}

static int not_sound(struct err *e)
{
    return err_set(e, 0, "accounts: this was not written by serviola, or was changed");
}

int accounts_load_some(struct accounts *a, struct slice piece, struct err *e)
{
    struct bytes_in in = { .rest = piece };
    bool known = bytes_get(&in, 1) == FORMAT;
    int64_t began_us = (int64_t)bytes_get(&in, 8);

    if (!known || in.bad || began_us < 0)
        return not_sound(e);
    a->began_us = began_us;
    while (in.rest.len > 0 && !in.bad)
        load_one(a, &in);
    return in.bad ? not_sound(e) : 0;
}

int accounts_load(struct accounts *a, struct slice kept, struct err *e)
{
    struct bytes_in in = { .rest = kept };
    size_t count;

    forget_all(a);
    in.bad = bytes_get(&in, 1) != FORMAT;
    a->began_us = (int64_t)bytes_get(&in, 8);
    count = bytes_get(&in, 4);
    in.bad = in.bad || a->began_us < 0;
    while (count-- > 0 && !in.bad)
        load_one(a, &in);
    if (!in.bad && in.rest.len == 0)
        return 0;
    forget_all(a);
    a->began_us = 0;
    return not_sound(e);
}
