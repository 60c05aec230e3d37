/* SPDX-License-Identifier: GPL-2.0-only */
/* Clients that listen to events: subscriptions.h. */
#include "subscriptions.h"

#include "event-json.h"

#include <assert.h>

enum {
	TICK_USEC = 20000,  /* what is not worth a wake-up is read so often */
	SEND_BYTES = 65536, /* of messages per turn of a client */
};

struct subscription {
	struct subscriptions *owner;
	unsigned int place;
	struct listener listener;
	struct varlink_call *call;
	uid_t uid; /* of the client */
	bool everything;
	bool greeted;
	bool asked; /* for room */
};

struct subscriptions {
	struct listeners *listeners;
	struct subscription_limits limits;
	struct subscription_counters counters;
	struct subscription *all[SUBSCRIPTIONS_MAX];
};

/* --- telling ----------------------------------------------------------------------------------- */

static void on_room(void *userdata);

static void ask_room(struct subscription *one)
{
	if (one->asked)
		return;
	one->asked = true;
	varlink_call_on_room(one->call, on_room, one);
}

static void message_begin(struct json *text)
{
	text->comma = false;
	json_object_begin(text, NULL);
	json_object_begin(text, "parameters");
}

static void message_end(struct json *text)
{
	json_object_end(text);
	json_boolean(text, "continues", true);
	json_object_end(text);
	json_append(text, "", 1);
	text->comma = false;
}

/* Without @probe: of any kind. How many is for those who may see everything. */
static void write_lost(const struct subscription *one, const struct probe *probe, uint64_t count,
		       const char *reason, bool own, struct json *text)
{
	if (!count)
		return;
	message_begin(text);
	json_object_begin(text, "lost");
	json_string(text, "type", "lost");
	if (probe)
		json_string(text, "probe", probe->name);
	else
		json_null(text, "probe");
	if (own || one->everything)
		json_u64(text, "count", count);
	else
		json_null(text, "count");
	json_string(text, "reason", reason);
	json_object_end(text);
	message_end(text);
}

static void write_losses(struct subscription *one, struct json *text)
{
	uint64_t slow;
	static const char *const reasons[] = { [LOSS_BUFFER] = "buffer", [LOSS_BUDGET] = "budget" };

	for (int loss = 0; loss < LOSSES; loss++)
		for (int kind = 0; kind < EM_EVENT_KINDS; kind++) {
			write_lost(one, probe_of_kind((uint32_t)kind),
				   one->listener.lost[loss][kind], reasons[loss], false, text);
			one->listener.lost[loss][kind] = 0;
		}
	slow = listener_take_lost(&one->listener);
	one->owner->counters.lost += slow;
	write_lost(one, NULL, slow, "client", true, text);
}

/* The client has taken everything so far. */
static void on_room(void *userdata)
{
	struct subscription *one = userdata;
	_cleanup_json_ struct json text = { 0 };

	one->asked = false;
	if (!one->greeted) {
		message_begin(&text);
		message_end(&text);
		one->greeted = true;
	}
	write_losses(one, &text);
	listener_take(&one->listener, SEND_BYTES, &text);
	if (!text.length)
		return;
	/* What fails ends the call, from the event loop. */
	if (varlink_notify_messages(one->call, &text) == 0 && listener_has_news(&one->listener))
		ask_room(one);
}

static bool write_message(struct listener *listener, const struct told_event *told,
			  struct json *text)
{
	(void)listener;
	message_begin(text);
	event_write(told->event, told->probe, told->unit, told->clock, "event", text);
	message_end(text);
	return true;
}

static void on_news(struct listener *listener)
{
	ask_room(listener->userdata);
}

static const struct listener_type client_type = { TICK_USEC, write_message, on_news };

/* --- coming and going -------------------------------------------------------------------------- */

static void subscription_free(struct subscription *one)
{
	event_filter_done(&one->listener.filter);
	free(one);
}

static void on_gone(void *userdata)
{
	struct subscription *one = userdata;
	struct subscriptions *owner = one->owner;

	owner->counters.lost += listener_take_lost(&one->listener);
	owner->all[one->place] = NULL;
	owner->counters.subscribers--;
	listeners_remove(&one->listener);
	subscription_free(one);
}

/* Why another one of @uid is not welcome: 0, -EUSERS or -EDQUOT; counted. */
static int refuse(struct subscriptions *subscriptions, uid_t uid)
{
	unsigned int own = 0;

	for (int i = 0; i < SUBSCRIPTIONS_MAX; i++)
		own += subscriptions->all[i] && subscriptions->all[i]->uid == uid;
	if (subscriptions->counters.subscribers >= subscriptions->limits.total) {
		subscriptions->counters.refused_total++;
		return -EUSERS;
	}
	if (uid && own >= subscriptions->limits.per_user) {
		subscriptions->counters.refused_per_user++;
		return -EDQUOT;
	}
	return 0;
}

int subscriptions_add(struct subscriptions *subscriptions, struct varlink_call *call,
		      struct event_filter *filter, bool everything)
{
	uid_t uid = varlink_call_peer(call)->uid;
	struct subscription *one;
	int r = refuse(subscriptions, uid);

	if (r < 0)
		return r;
	one = calloc(1, sizeof(*one));
	if (!one)
		return -ENOMEM;
	one->owner = subscriptions;
	one->listener =
		(struct listener){ .type = &client_type, .userdata = one, .filter = *filter };
	one->call = call;
	one->uid = uid;
	one->everything = everything;
	*filter = (struct event_filter){ 0 };
	r = listeners_add(subscriptions->listeners, &one->listener);
	if (r < 0) {
		subscription_free(one);
		return r;
	}
	while (subscriptions->all[one->place])
		one->place++;
	subscriptions->all[one->place] = one;
	subscriptions->counters.subscribers++;
	varlink_call_on_disconnect(call, on_gone, one);
	ask_room(one);
	return 0;
}

/* --- all of them ------------------------------------------------------------------------------- */

int subscriptions_new(struct listeners *listeners, const struct subscription_limits *limits,
		      struct subscriptions **ret_subscriptions)
{
	struct subscriptions *subscriptions = calloc(1, sizeof(*subscriptions));

	if (!subscriptions)
		return -ENOMEM;
	subscriptions->listeners = listeners;
	subscriptions->limits = *limits;
	*ret_subscriptions = subscriptions;
	return 0;
}

struct subscriptions *subscriptions_free(struct subscriptions *subscriptions)
{
	if (!subscriptions)
		return NULL;
	assert(!subscriptions->counters.subscribers); /* the server is freed first */
	free(subscriptions);
	return NULL;
}

void subscriptions_set_limits(struct subscriptions *subscriptions,
			      const struct subscription_limits *limits)
{
	subscriptions->limits = *limits;
}

const struct subscription_counters *
subscriptions_counters(const struct subscriptions *subscriptions)
{
	return &subscriptions->counters;
}
