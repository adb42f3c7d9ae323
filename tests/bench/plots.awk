# Prints a gnuplot script that draws SVG files into the folder -v out=.

function begin(file, title) {
	print "reset\nset terminal svg size 900,450 font 'sans,12'"
	print "set style fill solid 0.6\nset boxwidth 0.6\nset grid ytics"
	print "set output '" out "/" file ".svg'\nset title '" title "'"
}

function draw_throughput(k) {
	begin("throughput", "Events a second to the slower of two subscribers, median and range")
	print "unset key\nset yrange [0:*]\n$data << E"
	for (k = 1; k <= n_brokers; k++)
		if (has("throughput", brokers[k], "events_per_s"))
			print "\"" brokers[k] "\"", median("throughput", brokers[k], "events_per_s"), low, high
	print "E\nplot $data using 0:2:xtic(1) with boxes, '' using 0:2:3:4 with yerrorbars lc black"
}

function draw_latency(label, k, what_of) {
	begin(label, "At " member(label, "latency") " events a second: publish to accepted, publish to delivered, microseconds")
	print "set style data histogram\nset style histogram cluster gap 1\nset boxwidth 0.9"
	print "set logscale y\nset yrange [50:*]\nset key outside top center horizontal maxrows 1\n$data << E"
	print "broker \"accepted p50\" \"p99\" \"p99.9\" \"delivered p50\" \"p99\" \"p99.9\""
	for (k = 1; k <= n_brokers; k++)
		if (has(label, brokers[k], "accepted_p50_us"))
			print "\"" brokers[k] "\"", median(label, brokers[k], "accepted_p50_us"), median(label, brokers[k], "accepted_p99_us"), median(label, brokers[k], "accepted_p999_us"), median(label, brokers[k], "delivered_p50_us"), median(label, brokers[k], "delivered_p99_us"), median(label, brokers[k], "delivered_p999_us")
	print "E\nplot for [i=2:7] $data using i:xtic(1) title columnheader(i)"
}

# One line of ttgd's number against the family's.
function draw_growth(family, name, title, i, n, any) {
	any = 0
	for (i = 1; i <= n_labels; i++)
		if (member(labels[i], family) != "" && has(labels[i], "ttgd", name))
			any++
	if (any < 2)
		return
	begin("growth-" family "-" name, title)
	print "unset key\nset logscale x\nset yrange [0:*]\nset xlabel '" family (family == "backlog" ? " (0 is drawn at 1)" : "") "'\n$data << E"
	for (i = 1; i <= n_labels; i++) {
		n = member(labels[i], family)
		if (n != "" && has(labels[i], "ttgd", name))
			print (n + 0 > 0 ? n : 1), median(labels[i], "ttgd", name), low, high
	}
	print "E\nplot $data using 1:2 with linespoints pt 7, '' using 1:2:3:4 with yerrorbars lc black"
}

END {
	if ("throughput" in known_label)
		draw_throughput()
	for (label_at = 1; label_at <= n_labels; label_at++)
		if (member(labels[label_at], "latency") != "")
			draw_latency(labels[label_at])
	draw_growth("agencies", "events_per_s", "Events a second by agencies in the configuration")
	draw_growth("connected", "events_per_s", "Events a second by publishers connected")
	draw_growth("bytes", "events_per_s", "Events a second by bytes of an event")
	draw_growth("persons", "events_per_s", "Events a second by persons")
	draw_growth("backlog", "full_events_per_s", "Events a second beside an absent mailbox, by its backlog")
	draw_growth("backlog", "full_mb", "Resident MB by backlog of an absent mailbox")
	draw_growth("backlog", "catchup_events_per_s", "Events a second caught up, by backlog")
	draw_growth("journal", "seconds", "Seconds from start to listening after SIGKILL, by events in the journal")
}
