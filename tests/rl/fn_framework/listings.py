"""Listings in the shape of articles 5 to 8, on the framework's names; each has a seed for its own draws.

value       article 5: a scaler and a network of values
teacher     article 6, --test: DQN, whose teacher is copied every few episodes
gradient    article 7: a network of probabilities, improved by hand
critic      article 8, --test: actor and critic in one network, improved by hand
"""

import random
from collections import deque

import joblib
import numpy as np
from sklearn.preprocessing import StandardScaler

import nnlite as K
from rl.core.policy import actor_critic_loss, policy_loss, sample_actions
from rl.fn_framework import Experience, FNAgent, Observer, Trainer


class PoleObserver(Observer):
    """States as rows, as the scaler reads them."""

    def transform(self, state):
        return np.array(state).reshape((1, -1))


class ValueAgent(FNAgent):
    def save(self, model_path):
        super().save(model_path)
        joblib.dump(self.scaler, f"{model_path}.scaler")

    @classmethod
    def load(cls, env, model_path, epsilon=0.0001):
        agent = super().load(env, model_path, epsilon)
        agent.scaler = joblib.load(f"{model_path}.scaler")
        return agent

    def initialize(self, experiences, seed):
        states = np.vstack([e.s for e in experiences])
        self.scaler = StandardScaler().fit(states)
        hidden = {"activation": "relu", "kernel_initializer": K.initializers.glorot_normal()}
        self.model = K.models.Sequential(
            [
                K.layers.Dense(10, input_shape=(states.shape[1],), **hidden),
                K.layers.Dense(10, **hidden),
                K.layers.Dense(len(self.actions)),
            ],
            seed=seed,
        )
        self.model.compile(K.optimizers.Adam(lr=1e-3), loss="mse")
        self.initialized = True

    def estimate(self, s):
        return self.model.predict(self.scaler.transform(s))[0]

    def update(self, experiences, gamma):
        states = self.scaler.transform(np.vstack([e.s for e in experiences]))
        future = self.model.predict(self.scaler.transform(np.vstack([e.n_s for e in experiences])))
        targets = self.model.predict(states)
        for i, e in enumerate(experiences):
            targets[i][e.a] = e.r if e.d else e.r + gamma * np.max(future[i])
        return self.model.train_on_batch(states, targets)


class ReportingTrainer(Trainer):
    """Trainers that draw from their own `random`, and report the rewards of episodes."""

    def train(self, env, agent_class, episode_count, epsilon=0.1, **options):
        self.random = random.Random(int(self.rng.integers(2**31)))
        agent = agent_class(epsilon, list(range(env.action_space.n)))
        self.train_loop(env, agent, episode_count, **options)
        return agent

    def report(self, episode):
        if self.is_event(episode, self.report_interval):
            self.logger.describe("reward", self.reward_log[-self.report_interval :], episode=episode)


class ValueTrainer(ReportingTrainer):
    def begin_train(self, episode, agent):
        agent.initialize(self.experiences, seed=self.rng)

    def step(self, episode, step_count, agent, experience):
        if self.training:
            agent.update(self.random.sample(self.experiences, self.batch_size), self.gamma)

    def episode_end(self, episode, step_count, agent):
        self.reward_log.append(sum(e.r for e in self.get_recent(step_count)))
        self.report(episode)


class TeacherAgent(FNAgent):
    """The network of article 6 ends in ReLU, which holds all values above 0; this one is linear."""

    def initialize(self, experiences, optimizer, seed):
        model = K.Sequential(seed=seed)
        normal = K.initializers.glorot_normal()
        model.add(
            K.layers.Dense(
                64, input_shape=experiences[0].s.shape, kernel_initializer=normal, activation="relu"
            )
        )
        model.add(K.layers.Dense(len(self.actions), kernel_initializer=normal))
        self.model = model
        self.teacher = K.models.clone_model(model)
        self.update_teacher()
        self.model.compile(optimizer, loss="mse")
        self.initialized = True

    def estimate(self, state):
        return self.model.predict(np.array([state]))[0]

    def update(self, experiences, gamma):
        states = np.array([e.s for e in experiences])
        future = self.teacher.predict(np.array([e.n_s for e in experiences]))
        targets = self.model.predict(states)
        for i, e in enumerate(experiences):
            targets[i][e.a] = e.r if e.d else e.r + gamma * np.max(future[i])
        return self.model.train_on_batch(states, targets)

    def update_teacher(self):
        self.teacher.set_weights(self.model.get_weights())


class TeacherTrainer(ReportingTrainer):
    def __init__(self, file_name="teacher.safetensors", episodes=1200, **options):
        super().__init__(**{"buffer_size": 50000, "gamma": 0.99, **options})
        self.file_name, self.training_episode = file_name, episodes
        self.initial_epsilon, self.final_epsilon, self.teacher_update_freq = 0.5, 1e-3, 3
        self.loss, self._max_reward = 0, -10

    def episode_begin(self, episode, agent):
        self.loss = 0

    def begin_train(self, episode, agent):
        agent.initialize(self.experiences, K.optimizers.Adam(lr=1e-3, clipvalue=1.0), self.rng)
        self.logger.set_model(agent.model)
        agent.epsilon = self.initial_epsilon
        self.training_episode -= episode

    def step(self, episode, step_count, agent, experience):
        if self.training:
            self.loss += agent.update(self.random.sample(self.experiences, self.batch_size), self.gamma)

    def episode_end(self, episode, step_count, agent):
        reward = sum(e.r for e in self.get_recent(step_count))
        self.reward_log.append(reward)
        if self.training:
            self.logger.write(self.training_count, "loss", self.loss / step_count)
            self.logger.write(self.training_count, "reward", reward)
            if reward > self._max_reward:
                agent.save(self.logger.path_of(self.file_name))
                self._max_reward = reward
            if self.is_event(self.training_count, self.teacher_update_freq):
                agent.update_teacher()
            decay = (self.initial_epsilon - self.final_epsilon) / self.training_episode
            agent.epsilon = max(agent.epsilon - decay, self.final_epsilon)
        self.report(episode)


class GradientAgent(FNAgent):
    def __init__(self, epsilon, actions):
        super().__init__(epsilon, actions)
        self.estimate_probs = True

    def initialize(self, experiences, optimizer, seed):
        self.scaler = StandardScaler().fit(np.vstack([e.s for e in experiences]))
        self.model = K.models.Sequential(
            [
                K.layers.Dense(10, activation="relu", input_shape=(self.scaler.n_features_in_,)),
                K.layers.Dense(10, activation="relu"),
                K.layers.Dense(len(self.actions), activation="softmax"),
            ],
            seed=seed,
        )
        self.optimizer = optimizer.bind(self.model.params, self.model.grads, self.model.variables)
        self.initialized = True

    def estimate(self, s):
        return self.model.predict(self.scaler.transform(s))[0]

    def update(self, states, actions, rewards):
        logits = self.model.forward(self.scaler.transform(states), logits=True)
        loss, entropy, dlogits = policy_loss(logits, np.array(actions), np.array(rewards))
        self.model.backward(dlogits)
        self.optimizer.step()
        return loss


class CriticAgent(FNAgent):
    def initialize(self, experiences, optimizer, seed):
        self.model = K.Sequential(seed=seed)
        for _ in range(2):
            self.model.add(K.layers.Dense(64, activation="relu"))
        self.model.add(K.layers.Dense(len(self.actions) + 1))
        self.model.build(experiences[0].s.shape)
        self.optimizer = optimizer.bind(self.model.params, self.model.grads, self.model.variables)
        self.initialized = True

    def policy(self, s):
        if self.rng.random() < self.epsilon or not self.initialized:
            return int(self.rng.integers(len(self.actions)))
        return sample_actions(self.model.predict(np.array([s])), self.rng, len(self.actions))[0]

    def estimate(self, s):
        return self.model.predict(np.array([s]))[0][-1]

    def update(self, states, actions, rewards):
        output = self.model.forward(np.array(states))
        returns = np.array(rewards, np.float32)
        advantages = returns - output[:, -1]
        loss, _, value_loss, doutput = actor_critic_loss(
            output, np.array(actions), advantages, returns, entropy_weight=0.1, value_weight=1.0
        )
        self.model.backward(doutput)
        self.optimizer.step()
        return loss + value_loss


class DiscountedTrainer(ReportingTrainer):
    """Learns from steps whose reward is the discounted sum of all later ones (articles 7 and 8)."""

    def __init__(self, **options):
        super().__init__(**options)
        self.d_experiences = deque(maxlen=self.buffer_size)

    def episode_begin(self, episode, agent):
        self.experiences = []

    def begin_train(self, episode, agent):
        agent.initialize(list(self.d_experiences), K.optimizers.Adam(clipnorm=1.0), self.rng)

    def step(self, episode, step_count, agent, experience):
        if agent.initialized:
            batch = self.random.sample(self.d_experiences, self.batch_size)
            states = np.concatenate([np.atleast_2d(e.s) for e in batch])
            agent.update(states, [e.a for e in batch], [e.r for e in batch])

    def episode_end(self, episode, step_count, agent):
        rewards = [e.r for e in self.experiences]
        self.reward_log.append(sum(rewards))
        for t, (s, a, _, n_s, d) in enumerate(self.experiences):
            future = sum(r * self.gamma**i for i, r in enumerate(rewards[t:]))
            self.d_experiences.append(Experience(s, a, future, n_s, d))
        if not self.training and len(self.d_experiences) == self.buffer_size:
            self.begin_train(episode, agent)
            self.training = True
        self.report(episode)
