using System.Net.Sockets;

namespace PolicyDaemon.Lookup.Listening;

/// <summary>Sorts the errors of accept(2) into the three tiers.</summary>
internal static class AcceptFaults
{
    public static AcceptFault Classify(Exception exception) => exception switch
    {
        ObjectDisposedException => AcceptFault.Listener,
        SocketException socket => socket.SocketErrorCode switch
        {
            SocketError.TooManyOpenSockets or SocketError.NoBufferSpaceAvailable => AcceptFault.Resources,
            SocketError.OperationAborted or SocketError.Interrupted or SocketError.NotSocket or SocketError.InvalidArgument
                or SocketError.OperationNotSupported or SocketError.Shutdown => AcceptFault.Listener,
            // ENOMEM and ENFILE have no name of their own everywhere; what the runtime cannot name is not the client's fault.
            SocketError.SocketError or SocketError.SystemNotReady or SocketError.ProcessLimit => AcceptFault.Resources,
            _ => AcceptFault.Client,
        },
        _ => AcceptFault.Listener,
    };
}

/// <summary>What a failed accept means for the listener. See accept(2), ERRORS.</summary>
internal enum AcceptFault
{
    /// <summary>This client went away; take the next one.</summary>
    Client,

    /// <summary>No descriptors or no memory: the client stays in the queue, so trying again at once would spin.</summary>
    Resources,

    /// <summary>The listening socket itself is gone or unusable.</summary>
    Listener,
}
