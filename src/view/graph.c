/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "view/graph.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "snap/join.h"
#include "view/explain/inner.h"
#include "view/html.h"

enum {
    RAW_NODES = 512,
    RAW_EDGES = 4096,
    KEPT_EDGES = 300,
    COLUMN = 250,
    ROW = 56,
    BOX_W = 190,
    BOX_H = 34,
    MARGIN = 24
};

struct node {
    struct slice name;        /* borrowed of the picture */
    const char *words;        /* a node without a program */
    uint64_t processes, ends; /* ends: of connections */
    size_t kept;              /* its place among the kept ones */
    unsigned layer, row;
    int mark; /* 0 not seen, 1 on the path, 2 done */
};

struct edge {
    size_t from, to;
    uint16_t port;       /* 0 and no socket: one starts the other */
    struct slice socket; /* a UNIX one's name; borrowed of the picture */
    uint64_t count;
    bool back;
};

struct graph {
    struct node node[RAW_NODES];
    struct edge edge[RAW_EDGES];
    size_t nodes, edges;
    unsigned layers, rows;
};

enum { OTHERS, CLIENTS, SERVERS, FIRST_PROGRAM };

static size_t node_of(struct graph *g, const struct join *j, const struct snap_process *p)
{
    struct slice name = p ? program_in(j, p) : SLICE("");

    if (name.len == 0)
        return OTHERS;
    for (size_t i = FIRST_PROGRAM; i < g->nodes; i++)
        if (slice_eq(g->node[i].name, name))
            return i;
    if (g->nodes == RAW_NODES)
        return OTHERS;
    g->node[g->nodes].name = name;
    return g->nodes++;
}

static void add_edge(struct graph *g, struct edge e)
{
    for (size_t i = 0; i < g->edges; i++) {
        struct edge *at = &g->edge[i];

        if (at->from == e.from && at->to == e.to && at->port == e.port && slice_eq(at->socket, e.socket)) {
            at->count += e.count;
            return;
        }
    }
    if (g->edges < RAW_EDGES)
        g->edge[g->edges++] = e;
}

static void connect_nodes(struct graph *g, size_t from, size_t to, uint16_t port, uint64_t count)
{
    add_edge(g, (struct edge){ .from = from, .to = to, .port = port, .count = count });
}

static uint64_t ends_of(const struct edge *e)
{
    return e->port || e->socket.len > 0 ? e->count : 0;
}

/* One end of a connection tells the whole of it: the client's when it is here, else the server's. */
static void add_socket(struct graph *g, const struct join *j, const struct snap_socket *s)
{
    const struct snap_socket *listener = join_listener(j, s);
    const struct snap_socket *other = join_other_end(j, s);
    const struct snap_socket *there = other ? join_listener(j, other) : NULL;
    size_t self = node_of(g, j, join_process(j, s->pid ? s->pid : listener ? listener->pid : 0));

    if (listener && !other)
        connect_nodes(g, CLIENTS, self, s->local.port, 1);
    else if (!listener && !other && slice_eq(s->kind, SLICE("tcp")))
        connect_nodes(g, self, SERVERS, s->remote.port, 1);
    else if (!listener && other)
        connect_nodes(g, self,
                      node_of(g, j,
                              join_process(j, other->pid ? other->pid
                                              : there    ? there->pid
                                                         : 0)),
                      s->remote.port, 1);
}

/* The end without a name came to the one that has one; two without are a pair inside of one program. */
static void add_local(struct graph *g, const struct join *j, const struct snap_socket *s)
{
    const struct snap_socket *other = s->path.len == 0 && s->peer_inode ? join_socket(j, s->peer_inode) : NULL;

    if (other && other->path.len > 0 && s->pid && other->pid)
        add_edge(g, (struct edge){ .from = node_of(g, j, join_process(j, s->pid)),
                                   .to = node_of(g, j, join_process(j, other->pid)),
                                   .socket = other->path,
                                   .count = 1 });
}

/* Who opens a connection because its parent serves one: that closes the way of a loop. */
static void add_start(struct graph *g, const struct join *j, const struct snap_process *p)
{
    const struct snap_process *parent = join_process(j, p->parent);
    const struct snap_socket *held;
    size_t cursor = 0;
    bool opens = false;
    bool serves = false;

    while (parent && !opens && (held = join_held(j, p->pid, &cursor)))
        opens = held->remote.port != 0 && slice_eq(held->kind, SLICE("tcp")) && !join_listener(j, held);
    cursor = 0;
    while (opens && !serves && (held = join_held(j, parent->pid, &cursor)))
        serves = join_listener(j, held) != NULL;
    if (serves && node_of(g, j, parent) != node_of(g, j, p))
        connect_nodes(g, node_of(g, j, parent), node_of(g, j, p), 0, 1);
}

/* The busiest stay; all others are one node. */
static int busiest(const void *a, const void *b, void *own)
{
    const struct graph *g = own;
    uint64_t x = g->node[*(const size_t *)a].ends;
    uint64_t y = g->node[*(const size_t *)b].ends;

    return x < y ? 1 : x > y ? -1 : *(const size_t *)a < *(const size_t *)b ? -1 : 1;
}

static void fold(struct graph *g)
{
    size_t order[RAW_NODES];
    size_t count = g->edges;
    struct edge *old = calloc(count + 1, sizeof(*old));

    if (!old)
        return;
    memcpy(old, g->edge, count * sizeof(*old));
    for (size_t i = 0; i < count; i++) {
        g->node[old[i].from].ends += ends_of(&old[i]);
        g->node[old[i].to].ends += ends_of(&old[i]);
    }
    for (size_t i = FIRST_PROGRAM; i < g->nodes; i++)
        order[i] = i;
    qsort_r(order + FIRST_PROGRAM, g->nodes - FIRST_PROGRAM, sizeof(order[0]), busiest, g);
    for (size_t i = FIRST_PROGRAM; i < g->nodes; i++)
        g->node[order[i]].kept = i < GRAPH_NODES ? order[i] : OTHERS;
    for (size_t i = 0; i < FIRST_PROGRAM; i++)
        g->node[i].kept = i;
    g->edges = 0;
    for (size_t i = 0; i < count; i++) {
        old[i].from = g->node[old[i].from].kept;
        old[i].to = g->node[old[i].to].kept;
        add_edge(g, old[i]);
    }
    for (size_t i = FIRST_PROGRAM; i < g->nodes; i++)
        if (g->node[i].kept != i) {
            g->node[OTHERS].ends += g->node[i].ends;
            g->node[i].ends = 0;
        }
    free(old);
}

/* --- layers: the longest way from where it begins; what leads back to its own path is set aside */

static void walk(struct graph *g, size_t at)
{
    g->node[at].mark = 1;
    for (size_t i = 0; i < g->edges; i++) {
        struct edge *e = &g->edge[i];

        if (e->from != at)
            continue;
        if (e->to == at || g->node[e->to].mark == 1)
            e->back = true;
        else if (g->node[e->to].mark == 0)
            walk(g, e->to); /* as deep as there are nodes: fifty */
    }
    g->node[at].mark = 2;
}

static void lay_out(struct graph *g)
{
    unsigned used[GRAPH_NODES + FIRST_PROGRAM] = { 0 };

    walk(g, CLIENTS);
    for (size_t i = 0; i < g->nodes; i++)
        if (g->node[i].mark == 0 && g->node[i].ends > 0)
            walk(g, i);
    for (size_t pass = 0; pass < GRAPH_NODES; pass++)
        for (size_t i = 0; i < g->edges; i++) {
            const struct edge *e = &g->edge[i];

            if (!e->back && g->node[e->to].layer <= g->node[e->from].layer)
                g->node[e->to].layer = g->node[e->from].layer + 1;
        }
    for (size_t i = 0; i < g->nodes; i++) {
        struct node *n = &g->node[i];

        if (n->ends == 0)
            continue;
        if (n->layer >= sizeof(used) / sizeof(used[0]))
            n->layer = sizeof(used) / sizeof(used[0]) - 1;
        n->row = used[n->layer]++;
        g->layers = n->layer + 1 > g->layers ? n->layer + 1 : g->layers;
        g->rows = n->row + 1 > g->rows ? n->row + 1 : g->rows;
    }
}

struct graph *graph_new(const struct snap *s, struct err *e)
{
    struct graph *g = calloc(1, sizeof(*g));
    struct join *j = join_new(s, e);

    if (!g || !j) {
        err_set(e, ENOMEM, "a graph");
        free(g);
        join_free(j);
        return NULL;
    }
    g->nodes = FIRST_PROGRAM;
    g->node[OTHERS].words = "others";
    g->node[CLIENTS].words = "clients outside";
    g->node[SERVERS].words = "servers outside";
    SNAP_LIST(s, SNAP_SOCKET, struct snap_socket, k)
    if (k->remote.port != 0 && !slice_eq(k->state, SLICE("TIME_WAIT")))
        add_socket(g, j, k);
    else if (slice_eq(k->kind, SLICE("unix")))
        add_local(g, j, k);
    SNAP_LIST(s, SNAP_PROCESS, struct snap_process, p)
    {
        struct slice name = program_in(j, p);

        add_start(g, j, p);
        for (size_t i = FIRST_PROGRAM; i < g->nodes; i++)
            g->node[i].processes += slice_eq(g->node[i].name, name);
    }
    join_free(j);
    fold(g);
    lay_out(g);
    return g;
}

void graph_free(struct graph *g)
{
    free(g);
}

size_t graph_nodes(const struct graph *g)
{
    size_t count = 0;

    for (size_t i = 0; i < g->nodes; i++)
        count += g->node[i].ends > 0;
    return count;
}

size_t graph_back_edges(const struct graph *g)
{
    size_t count = 0;

    for (size_t i = 0; i < g->edges; i++)
        count += g->edge[i].back;
    return count;
}

/* --- drawing */

static unsigned left(const struct node *n)
{
    return MARGIN + n->layer * COLUMN;
}

static unsigned top(const struct node *n)
{
    return MARGIN + n->row * ROW;
}

static void label(const struct edge *e, FILE *to)
{
    enum { SHOWN = 32 };

    if (e->port)
        (void)fprintf(to, ":%u", (unsigned)e->port);
    else if (e->socket.len > 0)
        html_put(to, e->socket, SHOWN);
    else
        (void)fputs("starts", to);
    (void)fprintf(to, " &#215;%llu</text>\n", (unsigned long long)e->count);
}

static void draw_edge(const struct graph *g, const struct edge *e, FILE *to)
{
    const struct node *a = &g->node[e->from];
    const struct node *b = &g->node[e->to];
    unsigned x1 = left(a) + BOX_W;
    unsigned y1 = top(a) + BOX_H / 2;
    unsigned x2 = left(b);
    unsigned y2 = top(b) + BOX_H / 2;
    unsigned thick = e->count >= 100 ? 4 : e->count >= 10 ? 2 : 1;

    if (e->back) {
        unsigned down = (y1 > y2 ? y1 : y2) + ROW;

        (void)fprintf(to,
                      "<path class=\"back\" d=\"M%u %u C%u %u %u %u %u %u\" stroke-width=\"%u\"/>"
                      "<text class=\"back\" x=\"%u\" y=\"%u\">",
                      x1, y1, x1 + 60, down, x2 > 60 ? x2 - 60 : 0, down, x2, y2, thick, (x1 + x2) / 2, down - 12);
        label(e, to);
        return;
    }
    (void)fprintf(to,
                  "<path class=\"way\" d=\"M%u %u C%u %u %u %u %u %u\" stroke-width=\"%u\"/>"
                  "<text x=\"%u\" y=\"%u\">",
                  x1, y1, x1 + 30, y1, x2 > 30 ? x2 - 30 : 0, y2, x2, y2, thick, (x1 + x2) / 2 - 22, (y1 + y2) / 2 - 3);
    label(e, to);
}

static void draw_node(const struct node *n, FILE *to)
{
    enum { SHOWN = 24 };

    (void)fprintf(
        to, "<rect x=\"%u\" y=\"%u\" width=\"%d\" height=\"%d\" rx=\"5\"/><text class=\"name\" x=\"%u\" y=\"%u\">",
        left(n), top(n), BOX_W, BOX_H, left(n) + 8, top(n) + 15);
    html_put(to, n->words ? slice_text(n->words) : n->name, SHOWN);
    (void)fprintf(to, "</text><text x=\"%u\" y=\"%u\">", left(n) + 8, top(n) + 28);
    if (n->processes > 0)
        (void)fprintf(to, "%llu process%s, ", (unsigned long long)n->processes, n->processes == 1 ? "" : "es");
    (void)fprintf(to, "%llu ends</text>\n", (unsigned long long)n->ends);
}

void graph_svg(const struct graph *g, FILE *to)
{
    unsigned width = 2 * MARGIN + (g->layers ? g->layers - 1 : 0) * COLUMN + BOX_W + 60;
    unsigned height = 2 * MARGIN + (g->rows + 1) * ROW;
    size_t drawn = 0;

    (void)fprintf(to,
                  "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %u %u\" width=\"%u\" height=\"%u\" "
                  "font-family=\"sans-serif\" font-size=\"10\">\n"
                  "<style>path{fill:none}.way{stroke:#89a}.back{stroke:#c22}text.back{fill:#c22;stroke:none}"
                  "rect{fill:#eef3f8;stroke:#456}.name{font-size:12px;font-weight:bold}</style>\n",
                  width, height, width, height);
    for (size_t i = 0; i < g->edges && drawn < KEPT_EDGES; i++, drawn++)
        draw_edge(g, &g->edge[i], to);
    for (size_t i = 0; i < g->nodes; i++)
        if (g->node[i].ends > 0)
            draw_node(&g->node[i], to);
    if (g->edges > KEPT_EDGES)
        (void)fprintf(to, "<text x=\"%d\" y=\"%u\">%zu more edges are not drawn</text>\n", MARGIN, height - 6,
                      g->edges - KEPT_EDGES);
    (void)fputs("</svg>\n", to);
}
