using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Net.Sockets;

namespace PolicyDaemon.Lookup.Listening.Readiness;

/// <summary>The thread that waits for all connections at once (epoll(7)) and continues each one where octets have arrived or can be sent.</summary>
/// <remarks>
/// .NET's own asynchronous sockets ask the kernel twice per request (once to learn that nothing is there), are told of every
/// reply that the peer took, and hand each request to another thread: twice to three times what the answer itself costs.
/// Here a request is one share of a wait, one receive, one send, all on this thread; an answer takes a microsecond and
/// waits for nothing, so one thread serves more than one machine can ask.
/// <para>Reports are edge-triggered: the kernel reports a change once, so a stream reads or writes until the kernel has nothing more. A
/// token names a stream in reports; it is never given twice, so that a report for a socket which was closed meanwhile does not reach the
/// stream that got its descriptor's number. The bell (eventfd(2)) ends a wait, so that another thread can hand work to this one.</para>
/// </remarks>
internal sealed class ReadinessLoop : IDisposable
{
    private const int EventsPerWait = 256;

    // Those that have more to do than others wait for those that come now.
    private const int TurnsPerWait = 16;

    private readonly EpollSet sockets = new(EventsPerWait);
    private readonly ConcurrentQueue<ReadinessStream> resumed = new();
    private readonly TaskCompletionSource completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock sync = new();
    private readonly Stack<int> free = new();
    private readonly Thread thread;
    private ReadinessStream?[] slots = new ReadinessStream?[16];
    private uint generation;
    private int used;
    private volatile bool stopping;

    public ReadinessLoop()
    {
        thread = new Thread(Run, maxStackSize: 512 * 1024) { IsBackground = true, Name = "lookups" };
        thread.Start();
    }

    /// <summary>Completes after <see cref="Dispose"/>; faults where the loop, and with it every connection, cannot go on.</summary>
    public Task Completion => completion.Task;

    /// <summary>Makes the socket non-blocking and begins to watch it.</summary>
    /// <exception cref="IOException">The kernel refuses to watch it.</exception>
    public ReadinessStream Watch(Socket socket)
    {
        socket.Blocking = false;
        ReadinessStream stream;
        lock (sync)
        {
            if (!free.TryPop(out var slot))
                slot = used++;
            if (slot == slots.Length)
                Array.Resize(ref slots, slots.Length * 2);
            stream = new ReadinessStream(this, socket, ((ulong)generation++ << 32) | (uint)slot);
            Volatile.Write(ref slots[slot], stream);
        }

        try
        {
            sockets.Add(socket.SafeHandle, stream.Token, ReadinessStream.UsualInterest);
            return stream;
        }
        catch
        {
            Release(stream);
            throw;
        }
    }

    public void Dispose()
    {
        stopping = true;
        sockets.Ring();
        if (Thread.CurrentThread != thread)
            thread.Join();
    }

    internal void Modify(ReadinessStream stream, SafeSocketHandle socket, SocketEvents interest) =>
        sockets.Modify(socket, stream.Token, interest);

    /// <summary>Lets a stream go on after the others had their turn.</summary>
    internal void Resume(ReadinessStream stream)
    {
        resumed.Enqueue(stream);
        if (Thread.CurrentThread != thread)
            sockets.Ring();
    }

    internal void Forget(ReadinessStream stream, SafeSocketHandle socket)
    {
        try
        {
            sockets.Remove(socket);
        }
        catch (Exception exception) when (exception is IOException or ObjectDisposedException)
        {
            // Closed already, and the kernel forgot it by itself.
        }

        Release(stream);
    }

    private void Release(ReadinessStream stream)
    {
        var slot = (int)(uint)stream.Token;
        lock (sync)
        {
            slots[slot] = null;
            free.Push(slot);
        }
    }

    [SuppressMessage("Design", "CA1031", Justification = "Reported through Completion, which stops the process: without this thread nobody is answered.")]
    private void Run()
    {
        ShortSlice.TryAsk();
        try
        {
            while (!stopping)
            {
                var count = sockets.Wait(block: resumed.IsEmpty);
                for (var index = 0; index < count; index++)
                {
                    var (token, events) = sockets.Event(index);
                    if (token == EpollSet.Bell)
                        sockets.Silence();
                    else if (Find(token) is { } stream)
                        stream.OnReady(events);
                }

                for (var turns = 0; turns < TurnsPerWait && resumed.TryDequeue(out var stream); turns++)
                    stream.OnTurn();
            }

            completion.TrySetResult();
        }
        catch (Exception exception)
        {
            completion.TrySetException(new IOException($"the thread that reads for all lookup connections ended: {exception.Message}", exception));
        }
        finally
        {
            sockets.Dispose();
        }
    }

    private ReadinessStream? Find(ulong token)
    {
        var all = Volatile.Read(ref slots);
        var slot = (int)(uint)token;
        var stream = slot < all.Length ? Volatile.Read(ref all[slot]) : null;
        return stream?.Token == token ? stream : null;
    }
}
