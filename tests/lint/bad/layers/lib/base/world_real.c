/* The one place that may. */
void fine(int file)
{
	fdatasync(file);
}
