using System.Runtime.InteropServices;

namespace PolicyDaemon.Core.Runtime;

/// <summary>A file descriptor that the program was started with, written to as its opener left it: at its place, and appending where it appends.</summary>
/// <remarks>
/// <para>open(2) of <c>/dev/fd/N</c> makes a second open file of whatever the descriptor is: it begins at offset 0 and knows nothing of O_APPEND, so
/// that <c>3>>FILE</c> would be overwritten. A FileStream over the descriptor would write at an offset of its own (pwrite(2)) and leave the shared
/// one, at which the opener goes on, where it was. Hence write(2).</para>
/// <para>Nor is .NET's console written with: at its first word it sends the terminal <c>ESC [?1h ESC =</c>, which nothing takes back; also where
/// that word goes into a pipe or a file and only standard input is a terminal.</para>
/// </remarks>
public sealed class DescriptorStream : Stream
{
    private static readonly (string Path, int Number)[] Named = [("/dev/stdin", 0), ("/dev/stdout", 1), ("/dev/stderr", 2)];
    private static readonly string[] Folders = ["/dev/fd/", "/proc/self/fd/"];

    private readonly int number;
    private readonly bool isStandard;

    private DescriptorStream(int number, bool isStandard) => (this.number, this.isStandard) = (number, isStandard);

    /// <summary>Standard output or error, whatever it is; where that is a pipe whose reader has left, nobody misses the rest.</summary>
    public static DescriptorStream Standard(int number) => new(number, isStandard: true);

    /// <summary>A descriptor that was handed over by its number.</summary>
    /// <exception cref="IOException">The program was not started with it, or may not write to it.</exception>
    public static DescriptorStream Inherited(int number)
    {
        // What this program opened itself, the store among it, is closed at exec(2); what it was started with is not.
        if (NativeMethods.Control(number, NativeMethods.AskDescriptorFlags) is < 0 or (NativeMethods.DescriptorCloseOnExec and > 0))
            throw new IOException(FormattableString.Invariant($"descriptor {number} is not open; a shell opens it, to append to a file say, by {number}>>FILE"));
        if ((NativeMethods.Control(number, NativeMethods.AskStatusFlags) & NativeMethods.AccessMode) == NativeMethods.ReadOnly)
            throw new IOException(FormattableString.Invariant($"descriptor {number} is open for reading only"));
        return new DescriptorStream(number, isStandard: false);
    }

    /// <summary>The number of the descriptor that a full path names; null where the path names none.</summary>
    public static int? Number(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        foreach (var (name, number) in Named)
        {
            if (path == name)
                return number;
        }

        foreach (var folder in Folders)
        {
            if (path.StartsWith(folder, StringComparison.Ordinal) && int.TryParse(path.AsSpan(folder.Length), System.Globalization.NumberStyles.None, null, out var number))
                return number;
        }

        return null;
    }

    /// <inheritdoc/>
    public override bool CanRead => false;

    /// <inheritdoc/>
    public override bool CanSeek => false;

    /// <inheritdoc/>
    public override bool CanWrite => true;

    /// <inheritdoc/>
    public override long Length => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <inheritdoc/>
    public override void Write(ReadOnlySpan<byte> buffer)
    {
        while (!buffer.IsEmpty)
        {
            var written = NativeMethods.Write(number, buffer, (nuint)buffer.Length);
            if (written >= 0)
            {
                buffer = buffer[(int)written..];
                continue;
            }

            var error = Marshal.GetLastPInvokeError();
            if (isStandard && error == NativeMethods.BrokenPipe)
                return;
            Overcome(error);
        }
    }

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    /// <inheritdoc/>
    public override void Flush()
    {
    }

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();

    private void Overcome(int error)
    {
        if (error == NativeMethods.Interrupted)
            return;
        if (error != NativeMethods.TryAgain)
            throw new IOException(isStandard
                ? Marshal.GetPInvokeErrorMessage(error)
                : FormattableString.Invariant($"descriptor {number}: {Marshal.GetPInvokeErrorMessage(error)}"));
        // A pipe that its other end made non-blocking is full: wait until it is read.
        var wanted = new NativeMethods.Polled { Descriptor = number, Events = NativeMethods.MayBeWritten };
        _ = NativeMethods.Poll(ref wanted, 1, -1);
    }
}
