/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Requests and answers of the policy protocol, of any bytes: bounded, inside the input, and the same when said again.
 */
#include <assert.h>
#include <string.h>

#include "wire/policyproto.h"

static void check_inside(const uint8_t *data, size_t size, struct slice s)
{
    assert(s.len == 0 || (s.at >= data && s.at + s.len <= data + size));
    assert(s.len == 0 || (!memchr(s.at, '\n', s.len) && !memchr(s.at, 0, s.len)));
}

static void check_again(const struct policy_request *r)
{
    static char buffer[2 * POLICY_BYTES];
    struct text t = TEXT_IN(buffer);
    struct policy_request again;

    policy_request_add(&t, "sender", r->sender);
    policy_request_add(&t, "helo_name", r->helo);
    policy_request_end(&t);
    assert(!t.cut && policy_request_read(slice_of(t.at, t.len), &again) == POLICY_OK && again.used == t.len);
    assert(again.sender.len == r->sender.len && again.helo.len == r->helo.len && again.user.len == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char buffer[2 * POLICY_BYTES];
    struct text t = TEXT_IN(buffer);
    struct policy_request r;
    struct slice action;
    size_t used;

    if (policy_request_read(slice_of(data, size), &r) == POLICY_OK) {
        assert(r.used <= size && r.used <= POLICY_BYTES && data[r.used - 1] == '\n');
        check_inside(data, r.used, r.client_address);
        check_inside(data, r.used, r.sender);
        check_inside(data, r.used, r.recipient);
        check_inside(data, r.used, r.user);
        check_inside(data, r.used, r.instance);
        for (size_t n = 0; n < r.used; n += 1 + r.used / 64) {
            struct policy_request less;

            assert(policy_request_read(slice_of(data, n), &less) == POLICY_MORE);
        }
        check_again(&r);
    }
    if (policy_answer_read(slice_of(data, size), &action, &used) == POLICY_OK) {
        check_inside(data, used, action);
        policy_answer_write(action, &t);
        assert(policy_answer_read(slice_of(t.at, t.len), &action, &used) == POLICY_OK && used == t.len);
    }
    return 0;
}
