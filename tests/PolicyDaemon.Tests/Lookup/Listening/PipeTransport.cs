using System.Buffers;
using System.IO.Pipelines;
using PolicyDaemon.Lookup.Listening.Readiness;

namespace PolicyDaemon.Tests.Lookup.Listening;

/// <summary>A connection without a socket: the test is the peer.</summary>
internal sealed class PipeTransport : IConnectionTransport
{
    private static readonly PipeOptions Options = new(
        readerScheduler: PipeScheduler.Inline, writerScheduler: PipeScheduler.Inline,
        pauseWriterThreshold: 0, minimumSegmentSize: 64, useSynchronizationContext: false);

    private readonly Pipe toServer = new(Options);
    private readonly Pipe fromServer;

    /// <param name="takesReplies">False: the peer never reads, so a flush stays pending as with a full socket.</param>
    public PipeTransport(bool takesReplies = true) => fromServer = takesReplies
        ? new Pipe(Options)
        : new Pipe(new PipeOptions(
            readerScheduler: PipeScheduler.Inline, writerScheduler: PipeScheduler.Inline,
            pauseWriterThreshold: 1, resumeWriterThreshold: 1, useSynchronizationContext: false));

    public PipeReader Input => toServer.Reader;

    public PipeWriter Output => fromServer.Writer;

    public bool IsDisposed { get; private set; }

    /// <summary>Octets that the server has written and this peer has not read.</summary>
    public long Unread => fromServer.Reader.TryRead(out var read) ? Examine(read) : 0;

    /// <summary>What the server waits for when it lets others have a turn; at once where nothing is set.</summary>
    public Func<Task>? Turn { get; init; }

    public ValueTask YieldAsync() => Turn is null ? ValueTask.CompletedTask : new(Turn());

    public void Send(ReadOnlySpan<byte> octets)
    {
        toServer.Writer.Write(octets);
        _ = toServer.Writer.FlushAsync().AsTask();
    }

    public void SendEnd() => toServer.Writer.Complete();

    /// <summary>The peer reads nothing any more, and a reply on its way is told so.</summary>
    public void Leave() => fromServer.Reader.Complete();

    /// <summary>What the server has sent so far.</summary>
    public byte[] Received()
    {
        if (!fromServer.Reader.TryRead(out var read))
            return [];
        var octets = read.Buffer.ToArray();
        fromServer.Reader.AdvanceTo(read.Buffer.End);
        return octets;
    }

    private long Examine(ReadResult read)
    {
        fromServer.Reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        return read.Buffer.Length;
    }

    public void Dispose()
    {
        if (IsDisposed)
            return;
        IsDisposed = true;
        // As a closed socket does: what waits is told so.
        toServer.Writer.Complete(new IOException("closed"));
        fromServer.Reader.CancelPendingRead();
        fromServer.Writer.CancelPendingFlush();
    }
}
