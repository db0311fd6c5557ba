/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * gate - how many connections can one client connection cause?
 *
 * Two gates, A and B, each with a mail server behind it, and a client's host
 * C.  One connection comes to A: from C, from B's host, or from A's own (as
 * 127.0.1.50 did).  Nobody has a reverse name, so that everybody is called
 * back; and the sender's domain has whatever MX an attacker likes, so that a
 * bounce goes to anybody, A itself included.  Results of callbacks are
 * remembered for longer than all of this lasts.
 *
 *   SELF    a connection from our own address is refused, and no such address is called
 *   TOKEN   a callback is known by its EHLO name: by its own gate always, by the other where they SHARE the secret
 *   MEMORY  one callback to a target, under way or remembered
 *
 * The bound, with all three:
 *
 *   connections that bring mail  <= 2      the client's, and one bounce (a bounce causes none)
 *   connections to a server      <= 2      one each
 *   callbacks                    <= 2      one each, where the secret is shared: a callback causes none
 *                                <= 3      where it is not: each gate calls each other once, and the client:
 *                                          G x (G - 1) + 1 with G gates
 *
 * Without any one of the three the model finds a longer run (gate.sh).
 */
#ifndef SELF
#define SELF 1
#endif
#ifndef TOKEN
#define TOKEN 1
#endif
#ifndef MEMORY
#define MEMORY 1
#endif
#ifndef SHARED
#define SHARED 0
#endif

#define C 0
#define A 1
#define B 2
#define HOSTS 3

#define MAILS_MOST 2
#define LEGS_MOST 2
#if SHARED
#define CALLS_MOST 2
#else
#define CALLS_MOST 3
#endif

/* from, is it a callback, has it the empty sender */
chan at[HOSTS] = [8] of { byte, bit, bit };
byte mails, legs, calls;

inline connect(from_, to_, call_, empty_)
{
    if
    :: (call_) -> calls++; assert(calls <= CALLS_MOST)
    :: !(call_) -> mails++; assert(mails <= MAILS_MOST)
    fi;
    at[to_] ! from_, call_, empty_
}

/* Mail that the server took.  A bounce has the empty sender, and causes none.  Who comes from the host itself is
 * trusted: it may send on to anybody, the empty sender too. */
inline serve(me_, from_, empty_)
{
    legs++;
    assert(legs <= LEGS_MOST);
    if
    :: true -> skip /* it is delivered here, or refused */
    :: !empty_ || from_ == me_ ->
        if
        :: true -> connect(me_, me_, 0, 1)
        :: true -> connect(me_, A + B - me_, 0, 1)
        :: true -> connect(me_, C, 0, 1)
        fi
    fi
}

proctype gate(byte me)
{
    byte from;
    bit call, nobody;
    bool called[HOSTS];

end:
    do
    :: atomic {
        at[me] ? from, call, nobody ->
            if
            :: SELF && from == me -> skip
            :: TOKEN && call && (SHARED || from == me) -> skip
            :: !(SELF && from == me) && !(TOKEN && call && (SHARED || from == me)) ->
                if
                :: MEMORY && called[from] -> skip
                :: !(MEMORY && called[from]) ->
                    called[from] = true;
                    connect(me, from, 1, 0)
                fi;
                if
                :: call -> skip /* EHLO, QUIT */
                :: !call ->
                    if
                    :: serve(me, from, nobody)
                    :: true -> skip /* refused, or asked to come again */
                    fi
                fi
            fi
        }
    od
}

/* Answers, or does not: it makes no difference to who connects. */
proctype client()
{
    byte from;
    bit call, nobody;

end:
    do
    :: at[C] ? from, call, nobody
    od
}

init
{
    atomic {
        run gate(A);
        run gate(B);
        run client();
        if
        :: true -> connect(C, A, 0, 0)
        :: true -> connect(B, A, 0, 0)
        :: true -> connect(A, A, 0, 0)
        fi
    }
}
