using System.IO.Pipelines;
using System.Net.Sockets;
using Pipelines.Sockets.Unofficial;

namespace PolicyDaemon.Lookup.Listening.Readiness;

/// <summary>The pipes of Pipelines.Sockets.Unofficial over a socket that the loop watches.</summary>
internal sealed class ReadinessTransport : IConnectionTransport
{
    private const int SegmentSize = 512;

    // A request is some 40 octets: an idle connection holds one small pooled segment. Inline, because an answer costs less
    // than handing it to another thread. The parser bounds the length of a request; the threshold bounds what a peer may send ahead
    // while it does not take its replies: one segment more than is being answered.
    private static readonly PipeOptions ReceiveOptions = new(
        readerScheduler: PipeScheduler.Inline, writerScheduler: PipeScheduler.Inline,
        pauseWriterThreshold: SegmentSize, resumeWriterThreshold: SegmentSize,
        minimumSegmentSize: SegmentSize, useSynchronizationContext: false);

    // A threshold of one octet makes a flush wait until the octets are sent, so that "flushed" can be relied on.
    private static readonly PipeOptions SendOptions = new(
        readerScheduler: PipeScheduler.Inline, writerScheduler: PipeScheduler.Inline,
        pauseWriterThreshold: 1, resumeWriterThreshold: 1,
        minimumSegmentSize: 1024, useSynchronizationContext: false);

    private readonly ReadinessStream stream;
    private readonly IDuplexPipe pipes;

    public ReadinessTransport(ReadinessLoop loop, Socket socket)
    {
        SocketConnection.SetRecommendedServerOptions(socket);
        stream = loop.Watch(socket);
        pipes = StreamConnection.GetDuplex(stream, SendOptions, ReceiveOptions);
    }

    public PipeReader Input => pipes.Input;

    public PipeWriter Output => pipes.Output;

    public ValueTask YieldAsync() => stream.YieldAsync();

    public void Dispose() => stream.Dispose();
}
