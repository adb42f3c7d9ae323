# Replaces comments and the contents of string and character literals of C by spaces, so that the
# checks beside this file look at code only. Lines and columns stay where they are.
# With -v comments=1 comments are kept and only literals go.

{
	out = ""
	n = length($0)
	for (i = 1; i <= n; i++) {
		c = substr($0, i, 1)
		two = substr($0, i, 2)
		if (in_comment) {
			if (two == "*/") {
				in_comment = 0
				out = out (comments ? two : "  ")
				i++
			} else {
				out = out (comments || c == "\t" ? c : " ")
			}
		} else if (quote != "") {
			if (c == "\\") {
				out = out "  "
				i++
			} else if (c == quote) {
				out = out c
				quote = ""
			} else {
				out = out " "
			}
		} else if (two == "/*") {
			in_comment = 1
			out = out (comments ? two : "  ")
			i++
		} else if (two == "//") {
			if (comments)
				out = out substr($0, i)
			break
		} else if (c == "\"" || c == "'") {
			# The name in an #include is no literal to hide.
			if ($0 !~ /^[ \t]*#[ \t]*include/)
				quote = c
			out = out c
		} else {
			out = out c
		}
	}
	quote = "" # literals end with their line
	print out
}
