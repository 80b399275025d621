using System.Text;

namespace PolicyDaemon.Core.Runtime;

/// <summary>A writer over a standard stream that may be closed, broken or full: text that cannot be written is left out, and the program goes on.</summary>
public sealed class ForgivingWriter(TextWriter inner) : TextWriter
{
    /// <summary>Why text was left out; null where all was written.</summary>
    public string? Problem { get; private set; }

    public override Encoding Encoding => inner.Encoding;

    public override void Write(char value) => Try(() => inner.Write(value));

    public override void Write(char[] buffer, int index, int count) => Try(() => inner.Write(buffer, index, count));

    public override void Write(string? value) => Try(() => inner.Write(value));

    public override void Flush() => Try(inner.Flush);

    private void Try(Action write)
    {
        if (Problem is not null)
            return;
        try
        {
            write();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // .NET takes a closed descriptor (EBADF) for a matter of rights; what is behind that tells more.
            Problem = exception.InnerException?.Message ?? exception.Message;
        }
    }
}
