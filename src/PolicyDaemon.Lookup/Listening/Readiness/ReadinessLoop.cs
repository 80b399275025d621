using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Threading.Tasks.Sources;

namespace PolicyDaemon.Lookup.Listening.Readiness;

/// <summary>The owner of a descriptor that the loop watches, called on the loop's thread.</summary>
internal abstract class Watched
{
    /// <summary>The name of the descriptor in reports.</summary>
    public ulong Token { get; set; }

    public abstract void OnReady(SocketEvents events);

    /// <summary>Ends what waits for a report, because the loop ends.</summary>
    public abstract void OnLoopEnded();
}

/// <summary>The thread that waits for all connections at once (epoll(7)) and continues each one where octets have arrived or can be sent.</summary>
/// <remarks>
/// <para>.NET's own asynchronous sockets ask the kernel twice per request (once to learn that nothing is there), are told of every
/// reply that the peer took, and hand each request to another thread: twice to three times what the answer itself costs.
/// Here a request is one share of a wait, one receive, one send, all on this thread; an answer takes a microsecond and
/// waits for nothing, so one thread serves more than one machine can ask.</para>
/// <para>A turn is one wait: what came is read and answered, then all replies are sent. Sent one by one, each would wake its client,
/// which costs as much as the answer; so most wake while others are being served.</para>
/// <para>What belongs to a connection happens on this thread, so that nothing of it is locked; other threads <see cref="Post"/>.
/// Reports are edge-triggered: the kernel reports a change once, so a connection reads or writes until the kernel has nothing more. A
/// token names a connection in reports; it is never given twice, so that a report for a socket which was closed meanwhile does not reach
/// the one that got its descriptor's number. The bell (eventfd(2)) ends a wait, so that another thread can hand work to this one.</para>
/// </remarks>
internal sealed class ReadinessLoop : IDisposable
{
    private const int EventsPerWait = 256;

    // Those that have more to do than others wait for those that come now.
    private const int PostedPerTurn = 16;

    private readonly EpollSet sockets = new(EventsPerWait);
    private readonly ConcurrentQueue<Action> posted = new();
    private readonly List<ReadinessWriter> replies = new(EventsPerWait);
    private readonly TaskCompletionSource completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock sync = new();
    private readonly Stack<int> free = new();
    private readonly Thread thread;
    private Watched?[] slots = new Watched?[16];
    private uint generation;
    private int used;
    private bool hasEnded;
    private volatile bool stopping;

    public ReadinessLoop()
    {
        thread = new Thread(Run, maxStackSize: 512 * 1024) { IsBackground = true, Name = "lookups" };
        thread.Start();
    }

    /// <summary>Completes after <see cref="Dispose"/>; faults where the loop, and with it every connection, cannot go on.</summary>
    public Task Completion => completion.Task;

    /// <summary>True on the loop's thread.</summary>
    public bool IsCurrent => Thread.CurrentThread == thread;

    public ReadinessBuffers Buffers { get; } = new();

    /// <summary>Begins to report on a socket that does not block. From any thread.</summary>
    /// <exception cref="IOException">The kernel refuses to watch it.</exception>
    public void Watch(Watched watched, int socket, SocketEvents interest)
    {
        lock (sync)
        {
            if (!free.TryPop(out var slot))
                slot = used++;
            if (slot == slots.Length)
                Array.Resize(ref slots, slots.Length * 2);
            watched.Token = ((ulong)generation++ << 32) | (uint)slot;
            Volatile.Write(ref slots[slot], watched);
        }

        try
        {
            sockets.Add(socket, watched.Token, interest);
        }
        catch
        {
            Forget(watched);
            throw;
        }
    }

    /// <summary>Changes what is reported.</summary>
    public void Modify(Watched watched, int socket, SocketEvents interest) => sockets.Modify(socket, watched.Token, interest);

    /// <summary>Reports nothing more. Whoever does not close the socket, which makes the kernel forget it, has it removed.</summary>
    public void Forget(Watched watched, int? removed = null)
    {
        try
        {
            if (removed is { } socket)
                sockets.Remove(socket);
        }
        catch (Exception exception) when (exception is IOException or ObjectDisposedException)
        {
            // Closed already, or the loop has ended: nothing is reported either way.
        }

        var slot = (int)(uint)watched.Token;
        lock (sync)
        {
            slots[slot] = null;
            free.Push(slot);
        }
    }

    /// <summary>Runs it on the loop's thread, after the connections for which octets are here had their turn. From any thread.</summary>
    public void Post(Action action)
    {
        posted.Enqueue(action);
        if (IsCurrent)
            return;
        lock (sync)
        {
            if (!hasEnded)
            {
                sockets.Ring();
                return;
            }
        }

        RunPosted(int.MaxValue);
    }

    /// <summary>Goes on on the loop's thread, in a later turn. From any thread, which makes it the way back for who waited elsewhere.</summary>
    public ValueTask YieldAsync() => new(new Turn(this), 0);

    /// <summary>Has the replies sent at the end of the turn.</summary>
    internal void Gather(ReadinessWriter reply) => replies.Add(reply);

    public void Dispose()
    {
        stopping = true;
        Post(() => { });
        if (!IsCurrent)
            thread.Join();
    }

    [SuppressMessage("Design", "CA1031", Justification = "Reported through Completion, which stops the process: without this thread nobody is answered.")]
    private void Run()
    {
        ShortSlice.TryAsk();
        try
        {
            while (!stopping)
            {
                var count = sockets.Wait(block: posted.IsEmpty);
                for (var index = 0; index < count; index++)
                {
                    var (token, events) = sockets.Event(index);
                    if (token == EpollSet.Bell)
                        sockets.Silence();
                    else if (Find(token) is { } watched)
                        watched.OnReady(events);
                }

                RunPosted(PostedPerTurn);
                SendReplies();
            }

            completion.TrySetResult();
        }
        catch (Exception exception)
        {
            completion.TrySetException(new IOException($"the thread that reads for all lookup connections ended: {exception.Message}", exception));
        }
        finally
        {
            End();
        }
    }

    private void RunPosted(int most)
    {
        for (var count = 0; count < most && posted.TryDequeue(out var action); count++)
            action();
    }

    private void SendReplies()
    {
        // Who was answered may have more to say, which is added behind.
        for (var index = 0; index < replies.Count; index++)
            replies[index].OnTurnEnds();
        replies.Clear();
    }

    /// <summary>Ends every connection, so that none waits for a thread that is gone.</summary>
    private void End()
    {
        Watched?[] all;
        lock (sync)
            all = [.. slots];
        foreach (var watched in all)
            watched?.OnLoopEnded();
        RunPosted(int.MaxValue);
        lock (sync)
            hasEnded = true;
        RunPosted(int.MaxValue);
        sockets.Dispose();
    }

    private Watched? Find(ulong token)
    {
        var all = Volatile.Read(ref slots);
        var slot = (int)(uint)token;
        var watched = slot < all.Length ? Volatile.Read(ref all[slot]) : null;
        return watched?.Token == token ? watched : null;
    }

    /// <summary>A wait for the next turn: never over before the loop's thread says so, so that whoever awaits it goes on there.</summary>
    private sealed class Turn(ReadinessLoop loop) : IValueTaskSource
    {
        private bool isOver;

        public ValueTaskSourceStatus GetStatus(short token) => isOver ? ValueTaskSourceStatus.Succeeded : ValueTaskSourceStatus.Pending;

        public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) => loop.Post(() =>
        {
            isOver = true;
            continuation(state);
        });

        public void GetResult(short token)
        {
        }
    }
}
