/* A metric, a log line and a note that no document tells of. */
void metrics(void)
{
	counter(out, "ttgd_fresh_total", "Fresh.", 1);
	log_write(log, warning ? LOG_LEVEL_WARN : LOG_LEVEL_ERROR,
		  "fresh_event", "code=%d", 1);
	core->sink.note(core->sink.self, "fresh_note", mailbox->id, 1);
	core->sink.note(core->sink.self,
			verdict == EXPIRED ? "delivery_fresh" : "delivery_new", mailbox->id, 1);
}
