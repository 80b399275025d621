using System.Buffers;

namespace PolicyDaemon.Lookup.Listening.Readiness;

/// <summary>The arrays of a loop: one that all connections receive into, and small ones for replies that wait for the end of the turn.</summary>
/// <remarks>
/// A connection holds an array only while it has octets to keep, so an idle one costs none, and the few that are used stay in the processor's
/// cache. What does not fit comes from the shared pool. On the loop's thread only.
/// </remarks>
internal sealed class ReadinessBuffers
{
    /// <summary>Octets that one receive takes: a request has some 40, and this is what a peer can send ahead of the answers.</summary>
    public const int ReceivedOctets = 1024;

    /// <summary>Octets of an array for replies. A longer reply is not gathered: it is sent at once, and the rest of it waits in an array of its own.</summary>
    public const int ReplyOctets = 1024;

    // A turn has no more of them.
    private const int KeptForReplies = 256;

    private readonly Stack<byte[]> free = new();

    /// <summary>The array to receive into; whoever uses it is done with it, or has copied what remains, before the next connection's turn.</summary>
    public byte[] Received { get; private set; } = ArrayPool<byte>.Shared.Rent(ReceivedOctets);

    /// <summary>Leaves the array to who still reads in it.</summary>
    public void LeaveReceived() => Received = ArrayPool<byte>.Shared.Rent(ReceivedOctets);

    public byte[] RentForReply(int octets) => octets > ReplyOctets
        ? ArrayPool<byte>.Shared.Rent(octets)
        : free.TryPop(out var array) ? array : new byte[ReplyOctets];

    public void ReturnFromReply(byte[] array)
    {
        if (array.Length > ReplyOctets)
            ArrayPool<byte>.Shared.Return(array);
        else if (array.Length == ReplyOctets && free.Count < KeptForReplies)
            free.Push(array);
    }
}
